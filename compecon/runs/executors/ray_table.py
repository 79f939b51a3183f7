"""A cluster's last list of jobs, and how long runs of unknown state have not changed."""

from __future__ import annotations

import threading
import time
from functools import cache
from pathlib import Path
from typing import TypeAlias, final

from compecon.errors import RunError
from compecon.runs.executors.ray_jobs import JobServer
from compecon.runs.folder import LOG, METRICS, STATUS
from compecon.runs.run_record import RunRecord

_FRESH_S = 1.0
_SILENT_S = 10.0  # a silent server is not asked for every list of runs
Trace: TypeAlias = tuple[object, ...]


@final
class JobTable:
    """Jobs of a server, requested at most once a second; `why` says why they are unknown, "" if they are known."""

    def __init__(self, server: JobServer) -> None:
        self.server, self.why = server, ""
        self._lock = threading.Lock()
        self._said: dict[str, str] | None = None
        self._until = 0.0
        self._seen: dict[str, tuple[Trace, float]] = {}

    def status(self, submission: str) -> str | None:
        """The server's status of a job; None if it does not answer or does not know it."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._ask()
            return None if self._said is None else self._said.get(submission)

    def forget(self) -> None:
        """Ask again next time."""
        with self._lock:
            self._until = 0.0

    def trace(self, record: RunRecord) -> Trace:
        """What changes when a run's worker does anything."""
        return (record.status, *map(_size, (record.folder / METRICS, record.folder / LOG, record.folder / STATUS)))

    def still_for(self, record: RunRecord) -> float:
        """For how many seconds this process has seen a run unchanged."""
        trace, now = self.trace(record), time.monotonic()
        with self._lock:
            former, since = self._seen.get(str(record.folder), (None, now))
            if former != trace:
                since = now
            self._seen[str(record.folder)] = trace, since
        return now - since

    def _ask(self) -> None:
        try:
            self._said, self.why = self.server.statuses(), ""
        except RunError as error:
            self._said, self.why = None, str(error)
        self._until = time.monotonic() + (_SILENT_S if self._said is None else _FRESH_S)


@cache
def table_of(server: JobServer) -> JobTable:
    """The only table of a server in this process: what it has seen is the clock of leases."""
    return JobTable(server)


def _size(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns  # not compared with a clock: it only changes
