"""What all sessions share of runs: executors, and the metrics of the runs opened last.

Apart from `app.server.resources`, so that the first picture of the page that opens first does not wait for it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, final

from app.server.resources import run_store
from compecon.runs.executors.choice import executor_for, executor_of
from compecon.runs.folder import METRICS
from compecon.runs.history import History
from compecon.runs.run_record import RunRecord, RunState
from compecon.views.runs.curves import Courses
from compecon.views.runs.pace import step_durations

if TYPE_CHECKING:
    from compecon.runs.executors.executor import Executor

_MOST_HISTORIES = 8


def executor() -> Executor:
    """What starts runs from the page: this machine."""
    return executor_for("local", run_store())


def executor_of_run(record: RunRecord) -> Executor:
    """What started a run, and alone may stop it or start it again.

    Raises:
        RunError: If it is not known how to reach it.
    """
    return executor() if record.spec.executor == "local" else executor_of(record, run_store())


@final
class Histories:
    """Metrics of the runs opened last: each file is read once, however many sessions are open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Path, Courses] = OrderedDict()

    @contextmanager
    def courses(self, folder: Path) -> Iterator[Courses]:
        """A run's metrics, read on to their end; no other thread reads them within the context."""
        with self._lock:
            courses = self._known.pop(folder, None) or Courses(History(folder / METRICS))
            self._known[folder] = courses
            while len(self._known) > _MOST_HISTORIES:
                self._known.popitem(last=False)
            courses.history.read_on()
            yield courses


HISTORIES = Histories()


def durations_of(records: Sequence[RunRecord]) -> Mapping[str, tuple[float, ...]]:
    """Seconds of the last steps of the runs that are running, by their names."""
    found = {}
    for record in records:
        if record.state is RunState.RUNNING:
            with HISTORIES.courses(record.folder) as courses:
                found[record.run_id] = step_durations(courses.history.steps.get(record.status.stage, ()))
    return found
