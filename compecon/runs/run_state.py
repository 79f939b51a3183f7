"""The state of a run, judged by its files and its lock together. Reading changes nothing."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import psutil

from compecon.errors import NewerError, RunError
from compecon.files.durable import read_json
from compecon.runs.folder import CANCEL, LOCK, LOG, OUTCOME, SPEC, STATUS
from compecon.runs.home import system_errors
from compecon.runs.locks import is_held
from compecon.runs.run_record import SCHEMA, RunRecord, RunSpec, RunState, Status

_SILENT = "Its worker ended without a message: killed, out of memory, or the machine went down."
_UNKNOWN = RunSpec(recipe="unknown")
Liveness = Callable[[RunRecord], bool | None]
Part = TypeVar("Part")


def read_run(folder: Path, liveness: Mapping[str, Liveness]) -> RunRecord:
    """A run as it is now: what its worker reported last, unless the worker is gone."""
    try:
        return _read(folder, liveness)
    except NewerError as error:
        with suppress(RunError):
            return RunRecord(folder.name, folder, submitted_spec(folder), Status(), RunState.NEWER, str(error))
        return RunRecord(folder.name, folder, _UNKNOWN, Status(), RunState.NEWER, str(error))


def submitted_spec(folder: Path) -> RunSpec:
    """The spec that a run was submitted with."""
    with system_errors(f"{folder / SPEC} cannot be read"):
        return RunSpec.read(read_json(folder / SPEC, SCHEMA))


def finished_status(folder: Path, *, by_result: bool) -> Status | None:
    """How a run ended, if it succeeded and its status does not say so.

    Args:
        folder: Its folder.
        by_result: Whether a checkpoint is evidence enough. Otherwise its worker must have reported success: what makes
            a checkpoint measures it afterwards.
    """
    said, why = _part(folder / OUTCOME, lambda value: Status.read(value, OUTCOME), Status())
    if not why and said.state is RunState.SUCCEEDED:
        return said
    if by_result and has_result(folder):
        return Status(RunState.SUCCEEDED, f"{STATUS} is damaged, but the run's checkpoint is complete.")
    return None


def has_result(folder: Path) -> bool:
    """Whether a checkpoint came of a run; it is put in place as a whole."""
    try:
        return any((folder / "result" / folder.name).iterdir())
    except OSError:
        return False


def _read(folder: Path, liveness: Mapping[str, Liveness]) -> RunRecord:
    for _ in range(2):  # its last status may have come between the two reads
        record, why = _as_said(folder)
        if record.status.state.is_finished or _lives(record, liveness) is not False:
            return _seen(record)
    if (status := finished_status(folder, by_result=bool(why))) is not None:
        return replace(record, status=status, state=status.state, reason=status.reason)
    if why:
        status = Status(RunState.FAILED, why)
        return replace(record, status=status, state=status.state, reason=why)
    if (folder / CANCEL).exists():
        return replace(record, state=RunState.CANCELLED, reason=f"Stopped. {_what_is_left(record)}")
    return replace(record, state=RunState.LOST, reason=f"{_unheard(record)} {_what_is_left(record)}")


def _as_said(folder: Path) -> tuple[RunRecord, str]:
    """The record as the files describe it, and why one of them cannot be read."""
    spec, unknown = _part(folder / SPEC, RunSpec.read, _UNKNOWN)
    status, unsaid = _part(folder / STATUS, Status.read, Status(RunState.RUNNING))
    if unknown and status.state.is_finished and status.state is not RunState.SUCCEEDED:
        status = Status(RunState.FAILED)
    why = unknown or unsaid
    record = RunRecord(folder.name, folder, spec, status, status.state, why or status.reason, heard_at=_heard(folder))
    return record, why


def _part(path: Path, read: Callable[[Mapping[str, Any]], Part], otherwise: Part) -> tuple[Part, str]:
    """The content of a file, or a replacement and the reason; a newer compecon's file raises `NewerError`."""
    try:
        with system_errors(f"{path.name} cannot be read"):
            return read(read_json(path, SCHEMA)), ""
    except NewerError:
        raise
    except RunError as error:
        return otherwise, f"{error} Run `compecon doctor`."


def _heard(folder: Path) -> float:
    try:
        return (folder / STATUS).stat().st_mtime
    except OSError:
        return 0.0


def _lives(record: RunRecord, liveness: Mapping[str, Liveness]) -> bool | None:
    if record.spec.executor in liveness:
        return liveness[record.spec.executor](record)
    return None if record.spec.executor != "local" else is_held(record.folder / LOCK)


def _seen(record: RunRecord) -> RunRecord:
    if record.state.is_finished:
        return record
    if (record.folder / CANCEL).exists():
        record = replace(record, state=RunState.STOPPING)
    return replace(record, is_stalled=_is_stalled(record.status))


def _is_stalled(status: Status) -> bool:
    """Whether the worker of a run whose lock is held was halted on this machine, as by `SIGSTOP`."""
    if not status.pid or status.host != socket.gethostname():
        return False
    try:
        return psutil.Process(status.pid).status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
    except (psutil.Error, ValueError, OverflowError):  # a file can name any number
        return False


def _unheard(record: RunRecord) -> str:
    """What became of a worker that ended without reporting."""
    if record.status.state is not RunState.QUEUED:
        return _SILENT
    with suppress(OSError):
        if (record.folder / LOG).stat().st_size:
            return "Its worker ended before it started; see the log."
    return "Its worker ended before its turn." if record.status.pid else "It was never started."


def _what_is_left(record: RunRecord) -> str:
    """What is kept of a run that ended early, and how to continue."""
    again, saved = f"`compecon resume {record.run_id}`", record.status.saved
    if has_result(record.folder):
        return f"Its checkpoint is finished; {again} measures it."
    if saved:
        return f"The last checkpoint is step {saved.get('step')} of {saved.get('total')}; {again} continues from there."
    return f"It has no checkpoint yet; {again} starts it{' again' if record.status.pid else ''}."
