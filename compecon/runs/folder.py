"""The files of a run's folder, by name, and how a folder begins."""

from __future__ import annotations

import os
from pathlib import Path

from compecon.files.durable import write_json
from compecon.runs.locks import Lock
from compecon.runs.run_record import RunSpec, Status

SPEC, STATUS, OUTCOME, LOCK, CANCEL, METRICS, LOG, BALLAST = (
    "spec.json",
    "status.json",
    "outcome.json",  # the status of a success, stored a second time
    "worker.lock",
    "cancel",
    "metrics.jsonl",
    "worker.log",
    "ballast",
)
BALLAST_BYTES = 32_768  # room for the last status of a run on a full disk


def made_folder(folder: Path, spec: RunSpec) -> Lock:
    """Create the folder of a run that waits to be started; returns its held lock."""
    folder.mkdir(parents=True)
    lock = Lock.taken(folder / LOCK)
    assert lock is not None  # noqa: S101 - no other process knows the folder
    write_json(folder / SPEC, spec.as_json())
    write_json(folder / STATUS, Status(spec_sha256=spec.digest).as_json())
    keep_ballast(folder)
    return lock


def keep_ballast(folder: Path) -> None:
    """Reserve room for a run's last message; random bytes, since some file systems store zeros in no room."""
    if not (folder / BALLAST).exists():
        (folder / BALLAST).write_bytes(os.urandom(BALLAST_BYTES))
