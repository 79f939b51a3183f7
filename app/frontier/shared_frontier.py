"""What the whole server shares of the frontier: points as they are now, and views and figures of them, made once."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, final

from app.frontier.frontier_plot import frontier_figure
from app.server.resources import checkpoints, runs
from compecon.evaluation.evaluation_records import EvaluationStore
from compecon.runs.folder import METRICS
from compecon.runs.history import History
from compecon.runs.home import Home
from compecon.runs.run_record import RunRecord, RunState
from compecon.views.frontier.axes import axes_of, tasks_of
from compecon.views.frontier.drawn import FrontierAxes, FrontierView
from compecon.views.frontier.frontier_points import FrontierPoint
from compecon.views.frontier.frontier_view import frontier_view
from compecon.views.frontier.sources import Sources, all_points

FRESH_S = 2.0  # a run that goes on says something every few seconds
_UNFINISHED = 50  # the newest runs that are not done, or failed: their metrics are read on


@final
class Frontier:
    """All points at one time, with every view of them that somebody asked for.

    Args:
        points: The points.
        left_out: Name and reason of what could not become one.
        polls: Whether a run that is among them goes on.
    """

    def __init__(
        self, points: Sequence[FrontierPoint], left_out: Sequence[tuple[str, str]] = (), *, polls: bool = False
    ) -> None:
        self.points, self.left_out, self.polls = tuple(points), tuple(left_out), polls
        self._views: dict[FrontierAxes, tuple[FrontierView, str]] = {}

    @cached_property
    def by_key(self) -> Mapping[str, FrontierPoint]:
        """Points by their names."""
        return {point.key: point for point in self.points}

    @cached_property
    def tasks(self) -> Mapping[str, str]:
        """Titles of the tasks that there are points of."""
        return {choice.name: choice.title for choice in tasks_of(self.points)}

    @cached_property
    def costs(self) -> Mapping[str, Mapping[str, str]]:
        """Titles of the costs that are known of each task's points."""
        return {task: {choice.name: choice.title for choice in axes_of(self.points, task)} for task in self.tasks}

    def view(self, axes: FrontierAxes) -> FrontierView:
        """What is drawn on these axes."""
        return self._drawn(axes)[0]

    def figure(self, axes: FrontierAxes) -> str:
        """The figure on light paper, as JSON."""
        return self._drawn(axes)[1]

    def _drawn(self, axes: FrontierAxes) -> tuple[FrontierView, str]:
        if axes not in self._views:
            view = frontier_view(self.points, axes)
            self._views[axes] = view, str(frontier_figure(view).to_json())
        return self._views[axes]

    def dense_parent(self, point: FrontierPoint) -> FrontierPoint | None:
        """The dense checkpoint that a point came of, if it can be opened; else one of its task."""
        dense = self._dense.get(point.task, {})
        return dense.get(point.training.parent) or next(iter(dense.values()), None)

    @cached_property
    def _dense(self) -> Mapping[str, Mapping[str, FrontierPoint]]:
        found: dict[str, dict[str, FrontierPoint]] = {}
        for point in self.points:
            if point.family == "dense" and point.checkpoint:
                of_task = found.setdefault(point.task, {})
                of_task.setdefault(point.name, point)
                of_task.setdefault(point.checkpoint, point)
        return found


@final
class _Watch:
    """Makes the points anew when one of their sources has changed, and only then."""

    def __init__(self, home: Home) -> None:
        self._lock = threading.Lock()
        self._evaluations = EvaluationStore(home.measurements)
        self._histories: dict[Path, History] = {}
        self._seen: tuple[Any, ...] = ()
        self._looked = 0.0
        self._frontier: Frontier | None = None

    def frontier(self) -> Frontier:
        """The points as they are, or were a moment ago."""
        with self._lock:
            if self._frontier is None or time.monotonic() - self._looked > FRESH_S / 2:
                self._frontier = self._look()
                self._looked = time.monotonic()
            return self._frontier

    def _look(self) -> Frontier:
        records, entries, measured = runs(), tuple(checkpoints().values()), self._evaluations.all()
        histories = self._read([record for record in records if record.state is not RunState.SUCCEEDED][:_UNFINISHED])
        lengths = tuple((name, history.n_steps, len(history.events)) for name, history in histories.items())
        seen = (records, entries, measured, lengths)
        if self._frontier is not None and seen == self._seen:
            return self._frontier
        self._seen = seen
        found = all_points(Sources(entries, records, histories, measured))
        polls = any(not record.state.is_finished for record in records)
        return Frontier(found.points, found.left_out, polls=polls)

    def _read(self, records: Sequence[RunRecord]) -> Mapping[str, History]:
        folders = {record.run_id: record.folder for record in records}
        self._histories = {
            folder: self._histories.get(folder) or History(folder / METRICS) for folder in folders.values()
        }
        for history in self._histories.values():
            history.read_on()
        return {name: self._histories[folder] for name, folder in folders.items()}


@lru_cache(maxsize=4)
def _watch(home: Home) -> _Watch:
    return _Watch(home)


def frontier() -> Frontier:
    """Every point as it is now; the same object as long as nothing has changed."""
    return _watch(Home.default()).frontier()
