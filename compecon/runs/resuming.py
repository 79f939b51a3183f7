"""Lost runs that are worth resuming unattended."""

from __future__ import annotations

from pathlib import Path

from compecon.errors import RunError
from compecon.files.complete import MARKER
from compecon.files.safe_reader import read_bytes
from compecon.runs.folder import METRICS
from compecon.runs.metrics_file import MOST_BYTES, object_of
from compecon.runs.run_record import RunRecord, RunState
from compecon.runs.store import RunStore

_STAY_AWAY = 2  # attempts without progress


def worth_resuming(store: RunStore) -> tuple[tuple[RunRecord, ...], tuple[RunRecord, ...]]:
    """Lost runs, oldest first: those to start again, and those whose last two attempts made no progress."""
    lost = [record for record in reversed(store.list()) if record.state is RunState.LOST]
    idle = {record.run_id for record in lost if is_going_nowhere(record.folder)}
    return (
        tuple(record for record in lost if record.run_id not in idle),
        tuple(record for record in lost if record.run_id in idle),
    )


def is_going_nowhere(folder: Path) -> bool:
    """Whether the last two attempts of a run left nothing for the next one to continue from.

    Steps of an attempt are dropped from the metrics once a later attempt repeats them: what stands between two attempts
    was saved. For the last attempt, its checkpoints decide.
    """
    attempts = _attempts(folder / METRICS)
    if len(attempts) < _STAY_AWAY:
        return False
    *_, before, last = attempts
    return not before and not _saved(folder, last)


def _attempts(path: Path) -> list[list[int]]:
    """Steps of each attempt that no later one repeated; none if the metrics cannot be read."""
    found: list[list[int]] = []
    try:
        lines = read_bytes(path, MOST_BYTES, error=RunError).splitlines()
    except (OSError, RunError):
        return found
    for value in filter(None, map(object_of, lines)):
        if value.get("event") == "attempt":
            found.append([])
        elif "event" not in value and found and isinstance(value.get("step"), int):
            found[-1].append(value["step"])
    return found


def _saved(folder: Path, steps: list[int]) -> bool:
    there = (path.parent.name.rpartition("-")[2] for path in (folder / "checkpoints").rglob(MARKER))
    return bool({int(number) for number in there if number.isdigit()} & set(steps))
