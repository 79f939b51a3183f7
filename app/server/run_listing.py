"""The list of runs as the whole server shares it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import final

from compecon.errors import RunError
from compecon.runs.folder import SPEC, STATUS
from compecon.runs.run_record import RunRecord
from compecon.runs.store import RunStore

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


def _signature(folder: str) -> _Signature:
    """Changes when a run's worker, or the one that starts it again, writes something."""
    found = []
    for name in (SPEC, STATUS):
        try:
            stat = os.stat(f"{folder}/{name}")  # noqa: PTH116 - a thousand paths as objects take longer than the look
        except OSError:
            found.append((0, 0, 0))
        else:
            found.append((stat.st_mtime_ns, stat.st_ino, stat.st_size))
    return tuple(found)
