"""Damaged lines in the metrics of a run; they are moved to a file of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from compecon.errors import RunError
from compecon.files.durable import replace_file
from compecon.files.safe_reader import read_bytes, shown
from compecon.files.schema import check_schema
from compecon.runs.doctor.findings import Finding, aside, while_idle
from compecon.runs.folder import METRICS
from compecon.runs.metrics_file import MOST_BYTES, object_of
from compecon.runs.run_record import SCHEMA, RunRecord

_DAMAGED = "metrics.damaged.jsonl"


def check_metrics(record: RunRecord) -> Iterator[Finding]:
    """Damaged lines in the metrics of a run without a worker."""
    path = record.folder / METRICS
    try:
        lines = lines_of(path)
    except (OSError, RunError) as error:
        why = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        change = while_idle(record.folder, partial(_set_aside, path))
        yield Finding(record.run_id, "problem", f"{METRICS} cannot be read: {why}", change)
        return
    for line in lines:
        value = object_of(line)
        if value is not None and value.get("event") == "attempt":
            check_schema(value, SCHEMA, shown(path), error=RunError)
    bad = [line for line in lines if not _is_good(line)]
    if not bad:
        return
    torn = len(bad) == 1 and bad[0] is lines[-1] and not bad[0].endswith(b"\n")
    what = "the last line is incomplete" if torn else f"{len(bad):,} of {len(lines):,} lines are damaged"
    change = while_idle(record.folder, partial(_without_bad_lines, path))
    yield Finding(record.run_id, "problem", f"{METRICS}: {what}.", change)


def attempts_in(path: Path) -> int:
    """How many attempts the metrics record; 0 if they cannot be read."""
    with suppress(OSError, RunError):
        return sum(b'"event": "attempt"' in line for line in lines_of(path))
    return 0


def lines_of(path: Path) -> list[bytes]:
    """Lines of a metrics file with their ends; none if there is no file."""
    try:
        return read_bytes(path, MOST_BYTES, error=RunError).splitlines(keepends=True)
    except FileNotFoundError:
        if path.is_symlink():
            raise
        return []


def _set_aside(path: Path) -> str:
    return f"it is now {aside(path, _DAMAGED).name}; its curves are lost, its checkpoints are not"


def _without_bad_lines(path: Path) -> str:
    lines = lines_of(path)
    good, bad = ([line for line in lines if _is_good(line) is wanted] for wanted in (True, False))
    target = path.with_name(_DAMAGED)
    former = lines_of(target) if target.exists() else []
    replace_file(target, b"".join(line.rstrip(b"\n") + b"\n" for line in (*former, *bad)))
    replace_file(path, b"".join(good))
    return f"{len(bad):,} lines were moved to {_DAMAGED}"


def _is_good(line: bytes) -> bool:
    """Whether a line is whole; one of a kind that is not known may be a newer compecon's."""
    value = object_of(line)
    if value is None or not line.endswith(b"\n"):
        return False
    if "event" in value or not {"stage", "step"} & set(value):
        return True
    return isinstance(value.get("stage"), str) and type(value.get("step")) is int
