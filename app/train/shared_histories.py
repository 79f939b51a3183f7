"""Metrics of runs as the whole server shares them: each file is read once, whoever looks on."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import final

from compecon.runs.history import History
from compecon.runs.store import METRICS
from compecon.views.runs.curves import Courses

_MOST_HISTORIES = 8


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
