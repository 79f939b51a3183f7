"""Runs as the whole server shares them: one listing, one reading of each metrics file, whoever looks on."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import final

from compecon.errors import RunError
from compecon.runs.history import History
from compecon.runs.record import RunRecord
from compecon.runs.store import METRICS, SPEC, STATUS, RunStore
from compecon.views.run_curves import Courses

_MOST_HISTORIES = 8
_Signature = tuple[tuple[int, int, int], ...]


@final
class Listing:
    """Every run of a store, again and again: what is finished is only read anew when its files have changed.

    Args:
        store: The store.
    """

    def __init__(self, store: RunStore) -> None:
        self._store, self._lock = store, threading.Lock()
        self._known: dict[str, tuple[_Signature, RunRecord]] = {}

    def records(self) -> tuple[RunRecord, ...]:
        """Every run as it is now, newest first."""
        with self._lock:
            self._known = {record.run_id: (signature, record) for signature, record in self._read()}
            records = [record for _, record in self._known.values()]
        return tuple(sorted(records, key=lambda record: (-record.spec.order, record.run_id)))

    def _read(self) -> Iterator[tuple[_Signature, RunRecord]]:
        try:
            folders = [entry for entry in os.scandir(self._store.home.runs) if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return
        for folder in folders:
            signature, (held, record) = _signature(folder.path), self._known.get(folder.name, ((), None))
            if record is None or not record.state.is_finished or held != signature:
                try:
                    record = self._store.get(folder.name)
                except RunError:  # no name of a run, or it has just been deleted
                    continue
            yield signature, record


@final
class Histories:
    """Metrics of the runs that were looked at last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Path, Courses] = OrderedDict()

    @contextmanager
    def courses(self, folder: Path) -> Iterator[Courses]:
        """A run's metrics, read on to their end; nobody else reads them within the context."""
        with self._lock:
            courses = self._known.pop(folder, None) or Courses(History(folder / METRICS))
            self._known[folder] = courses
            while len(self._known) > _MOST_HISTORIES:
                self._known.popitem(last=False)
            courses.history.read_on()
            yield courses


def _signature(folder: str) -> _Signature:
    """Changes when a run's worker, or whoever starts it again, says something."""
    found = []
    for name in (SPEC, STATUS):
        try:
            stat = (Path(folder) / name).stat()
        except OSError:
            found.append((0, 0, 0))
        else:
            found.append((stat.st_mtime_ns, stat.st_ino, stat.st_size))
    return tuple(found)
