"""What state a run is in, judged by its files and its lock together. Reading changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from compecon.errors import RunError
from compecon.runs.alive import is_stalled
from compecon.runs.files import read_json
from compecon.runs.folder import CANCEL, LOCK, LOG, SPEC, STATUS
from compecon.runs.locks import is_held
from compecon.runs.record import RunRecord, RunSpec, RunState, Status

_SILENT = "Its worker ended without a word: killed, out of memory, or the machine went down."
Liveness = Callable[[RunRecord], bool | None]


def read_run(folder: Path, liveness: Mapping[str, Liveness]) -> RunRecord:
    """A run as it is now: what its worker said last, unless the worker is gone.

    Args:
        folder: Its folder.
        liveness: Asks executors other than the local one whether a run's worker lives.
    """
    record = _as_said(folder)
    if record.status.state.is_finished or _lives(record, liveness) is not False:
        return _seen(record)
    record = _as_said(folder)  # its last words may have come between the two looks
    if record.status.state.is_finished or _lives(record, liveness) is not False:
        return _seen(record)
    if (folder / CANCEL).exists():
        return replace(record, state=RunState.CANCELLED, reason="Stopped before it could say so.")
    return replace(record, state=RunState.LOST, reason=_SILENT if record.status.pid else _unheard(folder))


def _lives(record: RunRecord, liveness: Mapping[str, Liveness]) -> bool | None:
    if record.spec.executor in liveness:
        return liveness[record.spec.executor](record)
    return None if record.spec.executor != "local" else is_held(record.folder / LOCK)


def _as_said(folder: Path) -> RunRecord:
    try:
        spec = RunSpec.read(read_json(folder / SPEC))
    except (OSError, RunError) as error:
        return _unreadable(folder, RunSpec(recipe="unknown"), error)
    try:
        status = Status.read(read_json(folder / STATUS))
    except (OSError, RunError) as error:
        return _unreadable(folder, spec, error)
    return RunRecord(folder.name, folder, spec, status, status.state, status.reason)


def _seen(record: RunRecord) -> RunRecord:
    if record.state.is_finished:
        return record
    if (record.folder / CANCEL).exists():
        record = replace(record, state=RunState.STOPPING)
    return replace(record, is_stalled=is_stalled(record.status))


def _unreadable(folder: Path, spec: RunSpec, error: Exception) -> RunRecord:
    why = f"{error} Run `compecon doctor`." if isinstance(error, RunError) else f"Its files cannot be read: {error}."
    status = Status(RunState.FAILED, why)
    return RunRecord(folder.name, folder, spec, status, RunState.FAILED, why)


def _unheard(folder: Path) -> str:
    with suppress(OSError):
        if (folder / LOG).stat().st_size:
            return "Its worker ended before it had begun; the log tells why."
    return "It was never started."
