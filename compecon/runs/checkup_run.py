"""What is wrong with the files of a run, and how to set it right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

from compecon.errors import RunError
from compecon.finetune.complete import checkpoints_of, is_complete
from compecon.runs.files import read_json, replace_file, write_json
from compecon.runs.findings import Finding, aside, size_of, while_nobody_works
from compecon.runs.locks import is_held
from compecon.runs.record import RunRecord, RunSpec, RunState, Status
from compecon.runs.store import LOCK, METRICS, SPEC, STATUS

_DAMAGED_METRICS = "metrics.damaged.jsonl"
_DAMAGED_STATUS = "status.damaged.json"
_TRAINING = "checkpoints"


def check_run(record: RunRecord) -> Iterator[Finding]:
    """Everything that is wrong with a run; one that is at work is left alone.

    Args:
        record: The run, as it was just read.
    """
    if not record.state.is_finished or is_held(record.folder / LOCK):
        if record.is_stalled:
            yield _problem(record, "its process stands still, halted from outside. Stop it, or let it go on.")
        return
    spec = _spec(record.folder)
    if spec is None:
        yield _problem(record, f"{SPEC} cannot be read, and with it nobody knows what to run. Delete the run.")
    yield from _status(record, spec)
    yield from _metrics(record)
    yield from _checkpoints(record)
    if record.state is RunState.SUCCEEDED and any(record.folder.glob("result/.*")):
        yield Finding(record.run_id, "note", "half a result of a former attempt is left in its folder result.")
    if record.state is RunState.LOST and spec is not None:
        sentence = f"it was lost and can go on: `compecon resume {record.run_id}`."
        yield Finding(record.run_id, "note", sentence)


def _problem(record: RunRecord, sentence: str) -> Finding:
    return Finding(record.run_id, "problem", sentence)


def _spec(folder: Path) -> RunSpec | None:
    try:
        return RunSpec.read(read_json(folder / SPEC))
    except (OSError, RunError):
        return None


def _status(record: RunRecord, spec: RunSpec | None) -> Iterator[Finding]:
    try:
        status = Status.read(read_json(record.folder / STATUS))
    except (OSError, RunError) as error:
        sentence = f"{STATUS} cannot be read ({error}). Set aside, the run can go on from its last checkpoint."
        change = while_nobody_works(record.folder, lambda: _new_status(record.folder, spec))
        yield Finding(record.run_id, "problem", sentence, change if spec is not None else None)
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
    path = folder / STATUS
    kept = aside(path, _DAMAGED_STATUS).name if path.exists() else ""
    attempts = sum(b'"event": "attempt"' in line for line in _lines(folder / METRICS))
    reason = "Its status was damaged. Resume it: it goes on from its last complete checkpoint."
    digest = spec.digest if spec else ""
    write_json(path, asdict(Status(RunState.LOST, reason, max(1, attempts), spec_sha256=digest)))
    return f"{STATUS} is now {kept}; the run can be resumed" if kept else f"{STATUS} was written anew"


def _metrics(record: RunRecord) -> Iterator[Finding]:
    path = record.folder / METRICS
    lines = _lines(path)
    bad = [line for line in lines if not _is_good(line)]
    if not bad:
        return
    torn = len(bad) == 1 and bad[0] is lines[-1] and not bad[0].endswith(b"\n")
    what = "the last line was not written to its end" if torn else f"{len(bad):,} of {len(lines):,} lines are damaged"
    change = while_nobody_works(record.folder, lambda: _without_bad_lines(path))
    yield Finding(record.run_id, "problem", f"{METRICS}: {what}.", change)


def _without_bad_lines(path: Path) -> str:
    lines = _lines(path)
    good, bad = ([line for line in lines if _is_good(line) is wanted] for wanted in (True, False))
    with path.with_name(_DAMAGED_METRICS).open("ab") as stream:
        stream.write(b"".join(line.rstrip(b"\n") + b"\n" for line in bad))
    replace_file(path, b"".join(good))
    return f"{len(bad):,} lines were moved to {_DAMAGED_METRICS}"


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines(keepends=True)
    except OSError:
        return []


def _is_good(line: bytes) -> bool:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return False
    if not (isinstance(value, dict) and line.endswith(b"\n")):
        return False
    return "event" in value or (isinstance(value.get("stage"), str) and type(value.get("step")) is int)


def _checkpoints(record: RunRecord) -> Iterator[Finding]:
    root = record.folder / _TRAINING
    for folder in _trainings(root):
        for checkpoint in checkpoints_of(folder):
            if not is_complete(checkpoint):
                change = while_nobody_works(record.folder, partial(_set_aside, checkpoint))
                name = checkpoint.relative_to(record.folder).as_posix()
                sentence = (
                    f"the checkpoint {name} is not whole: its marker is missing, or its files are not those it names."
                )
                yield Finding(record.run_id, "problem", sentence, change)
    if broken := list(root.rglob("broken-checkpoint-*")):
        size = sum(map(size_of, broken)) / 1e6
        sentence = f"checkpoints that were broken: {len(broken)} set aside, {size:.1f} MB. Remove them by hand."
        yield Finding(record.run_id, "note", sentence)


def _trainings(root: Path) -> list[Path]:
    """Folders that hold checkpoints."""
    return sorted({path.parent for path in root.rglob("checkpoint-*") if path.is_dir() and not path.is_symlink()})


def _set_aside(checkpoint: Path) -> str:
    return f"it is now {aside(checkpoint, f'broken-{checkpoint.name}').name}"
