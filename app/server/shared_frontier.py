"""What the whole server shares of the frontier: points as they are now, and views and figures of them, made once."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, final

from app.canvas_data.frontier_figure import figure_data
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
from compecon.views.frontier.names import DENSE
from compecon.views.frontier.sources import Sources, all_points

FRESH_S = 2.0  # a run that goes on reports every few seconds
_UNFINISHED = 50  # newest runs that have not succeeded, whose metrics are read as they grow


@final
class Frontier:
    """All points at one time and the views of them, each made once; `polls` if one of them is a run that goes on."""

    def __init__(
        self, points: Sequence[FrontierPoint], left_out: Sequence[tuple[str, str]] = (), *, polls: bool = False
    ) -> None:
        self.points, self.left_out, self.polls = tuple(points), tuple(left_out), polls
        self._views: dict[FrontierAxes, FrontierView] = {}
        self._figures: dict[FrontierAxes, str] = {}

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
        if axes not in self._views:
            self._views[axes] = frontier_view(self.points, axes)
        return self._views[axes]

    def figure(self, axes: FrontierAxes) -> str:
        """The figure on light paper, as JSON."""
        if axes not in self._figures:
            self._figures[axes] = json.dumps(figure_data(self.view(axes)), separators=(",", ":"))
        return self._figures[axes]

    def dense_parent(self, point: FrontierPoint) -> FrontierPoint | None:
        """The dense checkpoint that a point was made from, if it can be opened; else one of its task."""
        dense = self._dense.get(point.task, [])
        named = (one for one in dense if point.training.parent in (one.name, one.checkpoint))
        return next(named, next(iter(dense), None))

    @cached_property
    def _dense(self) -> Mapping[str, Sequence[FrontierPoint]]:
        found: dict[str, list[FrontierPoint]] = defaultdict(list)
        for point in self.points:
            if point.family == DENSE and point.checkpoint:
                found[point.task].append(point)
        return found


@final
class _Watch:
    """Makes the points anew when one of their sources has changed, and only then."""

    def __init__(self, home: Home) -> None:
        self._lock = threading.Lock()
        self._evaluations = EvaluationStore(home.measurements)
        self._histories: dict[str, History] = {}
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
        known = self._histories
        self._histories = {one.run_id: known.get(one.run_id) or History(one.folder / METRICS) for one in records}
        for history in self._histories.values():
            history.read_on()
        return self._histories


@lru_cache(maxsize=4)
def _watch(home: Home) -> _Watch:
    return _Watch(home)


def frontier() -> Frontier:
    """Every point as it is now; the same object as long as nothing has changed."""
    return _watch(Home.default()).frontier()
