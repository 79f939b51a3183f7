"""The runs of a home: created, found, read, deleted. The folders are the only record; there is no index."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import final

from compecon.errors import RunError
from compecon.files.durable import sync_folder
from compecon.runs.folder import CANCEL, LOCK, made_folder
from compecon.runs.home import Home, system_errors
from compecon.runs.locks import Lock
from compecon.runs.run_record import RunRecord, RunSpec, checked_id, is_id
from compecon.runs.run_state import Liveness, read_run

_NEEDED_BYTES = 1_000_000


@final
class RunStore:
    """Runs as folders.

    Args:
        home: Where they are.
        liveness: By executor other than the local one: whether a run's worker is alive; None if that is unknown.
    """

    def __init__(self, home: Home, liveness: Mapping[str, Liveness] | None = None) -> None:
        self.home = home
        self.liveness = dict(liveness or {})

    def folder(self, run_id: str) -> Path:
        """Where a run's files are, whether it exists or not."""
        return self.home.runs / checked_id(run_id)

    def create(self, spec: RunSpec, key: str = "") -> tuple[str, Lock | None]:
        """Create a run, or find the one created with the same key.

        Args:
            spec: What to run; its order and time are set here.
            key: What makes two requests the same one: a double click, two tabs, a page loaded again.

        Returns:
            The run's name, and its held lock to give to the worker; None instead of the lock if the run existed.
        """
        home = self.home.made()
        run_id = run_id_of(spec.recipe, key or uuid.uuid4().hex)
        folder = self.folder(run_id)
        if folder.exists():
            return run_id, None
        part = home.runs / f".{run_id}-{uuid.uuid4().hex[:8]}.part"
        refused = f"The run cannot be stored in {home.runs}"
        try:
            with system_errors(refused):
                if shutil.disk_usage(home.root).free < min(_NEEDED_BYTES, shutil.disk_usage(home.root).total // 4):
                    raise RunError(f"The disk of {home.root} is full. Free some space.")
                priority = spec.priority or home.priority
                numbered = replace(spec, order=home.next_number(), created_at=round(time.time(), 3), priority=priority)
                lock = made_folder(part, numbered)
        except RunError:
            shutil.rmtree(part, ignore_errors=True)
            raise
        try:
            part.rename(folder)
        except OSError as error:
            lock.release()
            shutil.rmtree(part, ignore_errors=True)
            if folder.exists():  # another process was faster with the same key
                return run_id, None
            raise RunError(f"{refused}: {error.strerror or error}.") from error
        with suppress(OSError):  # it is there; only a power cut right now could take it away
            sync_folder(home.runs)
        return run_id, Lock(folder / LOCK, lock.descriptor)

    def get(self, run_id: str) -> RunRecord:
        """A run as it is now."""
        folder = self.folder(run_id)
        if not folder.is_dir():
            raise RunError(f"There is no run {run_id} in {self.home.runs}. `compecon runs` lists all runs.")
        return read_run(folder, self.liveness)

    def list(self) -> tuple[RunRecord, ...]:
        """Every run, newest first; one that cannot be read says so in its reason."""
        found = [read_run(self.folder(name), self.liveness) for name in run_names(self.home)]
        return tuple(sorted(found, key=lambda record: (-record.spec.order, record.run_id)))

    def ask_to_stop(self, run_id: str) -> None:
        """Leave a request to stop; a worker checks for it at every step."""
        record = self.get(run_id)
        record.require_known()
        with system_errors(f"{run_id} cannot be asked to stop"):
            (record.folder / CANCEL).touch()

    def delete(self, run_id: str) -> Path:
        """Move a finished run to the trash; returns its new path."""
        record = self.get(run_id)
        record.require_known()
        if not record.state.is_finished:
            raise RunError(f"{run_id} is {record.state.lower()}. Stop it before you delete it.")
        target = self.home.made().trash / f"{run_id}-{self.home.next_number()}"
        with system_errors(f"{run_id} cannot be deleted"):
            lock = Lock.taken(record.folder / LOCK)
            if lock is None:
                raise RunError(f"{run_id} has a worker again. Stop it before you delete it.")
            with lock:
                record.folder.rename(target)
        return target

    def restore(self, run_id: str) -> None:
        """Move the run of that name that was deleted last out of the trash."""
        target = self.folder(run_id)
        deleted = [path for path in self.home.trash.glob(f"{run_id}-*") if path.name[len(run_id) + 1 :].isdigit()]
        if not deleted:
            raise RunError(f"There is no run {run_id} in {self.home.trash}.")
        if target.exists():
            raise RunError(f"{run_id} exists already. Delete it first.")
        with system_errors(f"{run_id} cannot be restored"):
            max(deleted, key=lambda path: int(path.name[len(run_id) + 1 :])).rename(target)


def run_names(home: Home) -> list[str]:
    """Names of the runs of a home, in order."""
    with system_errors(f"The runs in {home.runs} cannot be read"):
        try:
            names = [entry.name for entry in os.scandir(home.runs) if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return []
    return sorted(filter(is_id, names))


def run_id_of(recipe: str, key: str) -> str:
    """The name of the run that a key makes: the same key, the same name."""
    kind = re.sub(r"[^a-z0-9]+", "-", recipe.lower())[:16].strip("-")
    return checked_id(f"{kind}-{hashlib.sha256(key.encode()).hexdigest()[:12]}")
