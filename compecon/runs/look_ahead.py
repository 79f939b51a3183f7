"""What a run will take and whether this machine has room for it, before it is submitted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from compecon.errors import CompeconError, RunError
from compecon.runs.run_record import RunRecord, RunSpec
from compecon.runs.store import RunStore

if TYPE_CHECKING:
    from compecon.runs.jobs.expected import Expected
    from compecon.runs.jobs.machine_speed import Speed

_SPARE_BYTES = 200_000_000  # of disk space that a run leaves free
_WAITING_BYTES = 5_000_000  # of a worker that waits for its turn: 4.5 MB measured


@final
@dataclass(frozen=True)
class Ahead:
    """What a run will take."""

    sentences: tuple[str, ...]  # time, memory and disk in words, and warnings
    problems: tuple[str, ...] = ()  # why it should not be started here; empty if it may be

    def require(self) -> None:
        """Refuse a run with problems."""
        if self.problems:
            raise RunError(" ".join(self.problems))


def look_ahead(store: RunStore, spec: RunSpec, *, n_waiting: int = 0) -> Ahead:
    """What a run will take, and whether there is room for it.

    Args:
        store: Where it will be kept; earlier runs there tell how fast this machine is.
        spec: What is to be run.
        n_waiting: How many more will wait meanwhile, as those of a sweep do.
    """
    from compecon.runs.jobs.expected import expected  # noqa: PLC0415 - reads headers, which few need

    found = expected(spec.recipe, spec.params, speed=speed_of(store, spec.recipe, spec.queue))
    here = spec.executor == "local"
    own = found.memory_bytes if spec.queue != "gpu" else 0  # then it is the GPU's
    memory = tuple(_memory(own + n_waiting * _WAITING_BYTES)) if here else ()
    problems = [*(sentence for is_problem, sentence in memory if is_problem), *_disk(store.home.root, found.disk_bytes)]
    warnings = [sentence for is_problem, sentence in memory if not is_problem]
    return Ahead((_in_words(found), *warnings), tuple(problems))


def speed_of(store: RunStore, recipe: str, queue: str) -> Speed:
    """How fast this machine is at a recipe in a queue, by earlier runs."""
    import socket  # noqa: PLC0415 - needed to submit only

    from compecon.runs.jobs.machine_speed import learnt_speed  # noqa: PLC0415

    return learnt_speed(store.list(), recipe, queue, socket.gethostname(), _macs_of)


def _macs_of(record: RunRecord) -> float | None:
    from compecon.runs.jobs.expected import expected  # noqa: PLC0415
    from compecon.runs.jobs.machine_speed import DEFAULT  # noqa: PLC0415

    try:
        return expected(record.spec.recipe, record.spec.params, speed=DEFAULT).macs
    except (CompeconError, KeyError, TypeError):  # its checkpoint is gone, or another version wrote it
        return None


def _memory(needed: int) -> Iterator[tuple[bool, str]]:
    import psutil  # noqa: PLC0415 - not needed to list runs

    memory = psutil.virtual_memory()
    less = "Use a smaller batch size, more accumulated passes, or checkpointing."
    if needed > memory.total:
        yield True, f"It needs about {_size(needed)} of memory, but this machine has {_size(memory.total)}. {less}"
    elif needed > memory.available:
        yield False, f"Only {_size(memory.available)} of memory are free now, which may not be enough. {less}"


def _disk(root: Path, needed: int) -> Iterator[str]:
    place = next(path for path in (root, *root.parents) if path.exists())
    free = shutil.disk_usage(place).free
    if needed + _SPARE_BYTES > free:
        yield f"It writes up to {_size(needed)}, but {_size(free)} are free in {place}. Free some space."


def _in_words(found: Expected) -> str:
    takes = f"{_size(found.memory_bytes)} of memory and up to {_size(found.disk_bytes)} of disk"
    if found.seconds_low is None or found.seconds_high is None:
        return f"It will take about {takes}. {found.unknown} The time cannot be estimated."
    return f"It will take {_time(found.seconds_low)} to {_time(found.seconds_high)}, about {takes}."


def _size(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{max(1, round(n_bytes / 1e6))} MB"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
