"""What is wrong with the files of a run, and how to repair it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from compecon.errors import NewerError, RunError
from compecon.files.complete import checkpoints_of, is_complete
from compecon.files.durable import read_json, write_json
from compecon.runs.doctor.checkup_metrics import attempts_in, check_metrics
from compecon.runs.doctor.findings import Finding, aside, counted, size_of, while_idle
from compecon.runs.folder import LOCK, METRICS, SPEC, STATUS
from compecon.runs.locks import is_held
from compecon.runs.run_record import SCHEMA, RunRecord, RunSpec, RunState, Status
from compecon.runs.run_state import finished_status, has_result

_DAMAGED_STATUS = "status.damaged.json"
_TRAINING = "checkpoints"


def check_run(record: RunRecord) -> Iterator[Finding]:
    """Everything that is wrong with a run. One that is at work, or a newer compecon's, is left alone."""
    record.require_known()
    if not os.access(record.folder, os.R_OK | os.X_OK):
        yield _problem(record, f"its folder cannot be read. Make {record.folder} readable.")
        return
    if not record.state.is_finished or is_held(record.folder / LOCK):
        if record.is_stalled:
            yield _problem(record, "its process is halted. Stop it, or let it continue.")
        return
    spec = _spec(record.folder)
    if spec is None:
        yield _problem(record, f"{SPEC} cannot be read, so it cannot be run again. {_what_stays(record)}")
    yield from _status(record, spec)
    yield from check_metrics(record)
    yield from _checkpoints(record)
    if record.state is RunState.SUCCEEDED and any(record.folder.glob("result/.*")):
        yield Finding(record.run_id, "note", "its folder result holds an unfinished result of an earlier attempt.")
    if record.state is RunState.LOST and spec is not None:
        sentence = f"it was lost and can be resumed: `compecon resume {record.run_id}`."
        yield Finding(record.run_id, "note", sentence)


def _problem(record: RunRecord, sentence: str) -> Finding:
    return Finding(record.run_id, "problem", sentence)


def _spec(folder: Path) -> RunSpec | None:
    try:
        return RunSpec.read(read_json(folder / SPEC, SCHEMA))
    except (OSError, RunError):
        return None


def _what_stays(record: RunRecord) -> str:
    if has_result(record.folder):
        return f"Its result is complete, in {record.folder / 'result'}."
    return "Delete the run." if record.state is not RunState.SUCCEEDED else "Its results can still be read."


def _status(record: RunRecord, spec: RunSpec | None) -> Iterator[Finding]:
    try:
        status = Status.read(read_json(record.folder / STATUS, SCHEMA))
    except NewerError:
        raise
    except (OSError, RunError) as error:
        what = "it is restored from the result" if record.state is RunState.SUCCEEDED else "the run can be resumed"
        sentence = f"{STATUS} cannot be read ({error}). After a repair, {what}."
        change = while_idle(record.folder, partial(_new_status, record.folder, spec))
        yield Finding(record.run_id, "problem", sentence, change)
        return
    if spec is not None and status.spec_sha256 not in ("", spec.digest):
        yield _problem(record, f"{SPEC} was changed after the run was submitted. Duplicate the run to change settings.")
    if status.state is RunState.SUCCEEDED and spec is not None and _should_have_result(spec):
        result = record.folder / "result" / record.run_id
        if not result.is_dir():
            yield _problem(record, f"its checkpoint is gone: there is no {result}. Duplicate the run to make it again.")


def _should_have_result(spec: RunSpec) -> bool:
    return spec.recipe in ("train", "prune", "rehearsal")


def _new_status(folder: Path, spec: RunSpec | None) -> str:
    """Replace a status that cannot be read, and keep the damaged file."""
    path = folder / STATUS
    reason = "Its status was damaged. Resume it: it continues from its last complete checkpoint."
    digest, attempts = spec.digest if spec else "", max(1, attempts_in(folder / METRICS))
    lost = Status(RunState.LOST, reason, attempts, spec_sha256=digest)
    status = finished_status(folder, by_result=True) or lost
    kept = aside(path, _DAMAGED_STATUS).name if os.path.lexists(path) else ""
    write_json(path, status.as_json())
    what = "the run can be resumed" if status is lost else "the run has succeeded, as its result shows"
    return f"{STATUS} is now {kept}; {what}" if kept else f"{STATUS} was restored; {what}"


def _checkpoints(record: RunRecord) -> Iterator[Finding]:
    root = record.folder / _TRAINING
    for folder in _trainings(root):
        for checkpoint in checkpoints_of(folder):
            if not is_complete(checkpoint):
                change = while_idle(record.folder, partial(_set_aside, checkpoint))
                name = checkpoint.relative_to(record.folder).as_posix()
                sentence = f"the checkpoint {name} is incomplete: its marker is missing or does not match its files."
                yield Finding(record.run_id, "problem", sentence, change)
    if broken := list(root.rglob("broken-checkpoint-*")):
        size = sum(map(size_of, broken)) / 1e6
        sentence = f"{counted(len(broken), 'broken checkpoint')} set aside, {size:.1f} MB. Remove them by hand."
        yield Finding(record.run_id, "note", sentence)


def _trainings(root: Path) -> list[Path]:
    """Folders that hold checkpoints."""
    return sorted({path.parent for path in root.rglob("checkpoint-*") if path.is_dir() and not path.is_symlink()})


def _set_aside(checkpoint: Path) -> str:
    return f"it is now {aside(checkpoint, f'broken-{checkpoint.name}').name}"
