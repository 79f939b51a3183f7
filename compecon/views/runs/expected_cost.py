"""The expected cost of runs, and whether this machine has that much."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from compecon.runs.jobs.expected import Expected
from compecon.runs.jobs.machine_speed import Speed
from compecon.views.spans import size, span

_BUSY = 1.5  # times as long as on an idle machine
_SPARE_BYTES = 500_000_000  # of a disk: what the system and the other runs need


@final
@dataclass(frozen=True)
class Room:
    """What is free on a machine."""

    memory: int  # bytes
    disk: int  # bytes
    load: float = 0.0  # how many programs compute at the moment
    cores: int = 1  # how many can at the same time
    threads: int = 1  # how many a run would use

    @property
    def stretch(self) -> float:
        """How many times as long a run takes beside those that compute at the moment; 1 where there is room for it."""
        return max(1.0, (self.load + self.threads) / self.cores)


@final
@dataclass(frozen=True)
class Estimate:
    """What to show before a start."""

    lines: tuple[tuple[str, str], ...]  # what it will take: name and value
    description: str  # where the numbers come from
    warnings: tuple[str, ...]  # what is missing, in sentences; empty if all is there


def estimate_view(each: Sequence[Expected], n_runs: int, speed: Speed, room: Room) -> Estimate:
    """What to show of runs that are to be started one after the other.

    Args:
        each: What the first of them are expected to take; at least one.
        n_runs: How many there are.
        speed: What the times were computed with.
        room: What is free.
    """
    memory = max(one.memory_bytes for one in each)
    kept = math.ceil(sum(one.disk_bytes for one in each) * n_runs / len(each))
    lines = (
        ("time", _time(each, n_runs, room.stretch)),
        ("memory", f"about {size(memory)} at a time; {size(room.memory)} free"),
        ("disk", f"at most {size(kept)}; {size(room.disk)} free"),
    )
    learnt = f"from {speed.runs} finished run{'s' if speed.runs > 1 else ''} of this kind on this machine"
    basis = learnt if speed.runs else "for a typical machine, because no run of this kind has finished here"
    return Estimate(lines, f"Estimated {basis}.", tuple(_warnings(memory, kept, room)))


def _time(each: Sequence[Expected], n_runs: int, stretch: float) -> str:
    lows, highs = ([getattr(one, name) for one in each] for name in ("seconds_low", "seconds_high"))
    if None in lows or None in highs:
        return next(one.unknown for one in each if one.seconds_low is None) or "not known"
    scale = n_runs / len(each)
    in_all = span(scale * sum(lows), scale * stretch * sum(highs))
    return in_all if n_runs == 1 else f"{in_all} in total, one run after the other"


def _warnings(memory: int, disk: int, room: Room) -> Iterable[str]:
    if memory > room.memory:
        yield (
            f"About {size(memory)} of memory needed, {size(room.memory)} free. Use a smaller batch size or gradient "
            "checkpointing, or close other programs."
        )
    if room.stretch >= _BUSY:
        yield (
            f"The machine is busy: the load is {room.load:.1f} on {room.cores} cores, so a run may take "
            f"{room.stretch:.1f} times as long. The upper end of the range allows for that."
        )
    if disk + _SPARE_BYTES > room.disk:
        yield (
            f"Up to {size(disk)} will be written, {size(room.disk)} free. Free some space, or delete runs you no "
            "longer need."
        )
