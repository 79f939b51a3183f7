"""A run's numbers over its steps: as curves, thinned out to what a screen can show, and as a table."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from compecon.files.csv_writer import csv_text
from compecon.runs.history import History
from compecon.views.checked_values import number, text

_MOST_POINTS = 400
_SMOOTHED = 25
Points = tuple[tuple[int, float], ...]


@final
@dataclass(frozen=True)
class Series:
    """A line of a figure."""

    name: str
    points: Points  # step, counted over all stages from 1, and value
    is_raw: bool = False  # whether another line of the figure is the mean of this one


@final
@dataclass(frozen=True)
class Curve:
    """A figure: one quantity over the steps of all stages, in lines that all have points."""

    name: str
    description: str
    series: tuple[Series, ...]
    is_share: bool = False  # whether values are shares, shown in percent


@final
@dataclass(frozen=True)
class StageMark:
    """Where a stage begins: after so many steps of the stages before it."""

    name: str
    after: int


_COLUMNS = ("step", "task", "cost", "share", "price")


@final
@dataclass
class Courses:
    """Numbers of a history as columns; when it is asked again, it only takes in what is new."""

    history: History
    _taken: dict[str, tuple[Sequence[Mapping[str, Any]], dict[str, array[float]]]] = field(default_factory=dict)

    def curves(self) -> tuple[Curve, ...]:
        """Task loss, cost, price and quality; those of which nothing is known are left out."""
        self._grow()
        step, task, cost, share, price = (self._column(name) for name in _COLUMNS)
        priced = bool(np.nanmax(price, initial=0.0) > 0)
        found = (
            Curve(
                "task loss",
                f"Loss on each step's rows, distillation included; the line is the mean of {_SMOOTHED} steps.",
                (*_line("each step", step, task, is_raw=True), *_line(f"mean of {_SMOOTHED}", step, _smooth(task))),
            ),
            Curve(
                "cost",
                "Share of the dense cost: as the gradient sees it, and if units were removed now.",
                (*_line("as priced", step, cost), *_line("if removed now", step, share)) if priced else (),
                is_share=True,
            ),
            Curve(
                "price",
                "Task loss charged for all of the dense cost.",
                _line("price", step, price) if priced else (),
            ),
            self._quality(),
        )
        return tuple(curve for curve in found if curve.series)

    @property
    def stages(self) -> tuple[StageMark, ...]:
        """Where each stage begins."""
        marks, after = [], 0
        for name, steps in self.history.steps.items():
            marks.append(StageMark(name, after))
            after += steps[-1]["step"] if steps else 0
        return tuple(marks)

    def _grow(self) -> None:
        for stage, steps in self.history.steps.items():
            held, columns = self._taken.get(stage, (None, {}))
            if held is not steps:  # the file was replaced, and read from its beginning
                columns = {name: array("d") for name in _COLUMNS}
                self._taken[stage] = (steps, columns)
            for record in steps[len(columns["step"]) :]:
                for name, column in columns.items():
                    value = number(record, name)
                    column.append(float("nan") if value is None else value)

    def _column(self, name: str) -> NDArray[np.float64]:
        parts = []
        for mark in self.stages:
            part = np.array(self._taken[mark.name][1][name])
            parts.append(part + mark.after if name == "step" else part)
        return np.concatenate(parts) if parts else np.empty(0)

    def _quality(self) -> Curve:
        after = {mark.name: mark.after for mark in self.stages}
        lines: dict[str, list[tuple[int, float]]] = {}
        for event in self.history.events:
            value, step = number(event, "value"), number(event, "step")
            if event.get("event") == "quality" and value is not None and step is not None:
                name = " ".join(filter(None, (text(event, "metric"), text(event, "split"))))
                lines.setdefault(name, []).append((int(step) + after.get(text(event, "stage"), 0), value))
        series = tuple(Series(name, tuple(points)) for name, points in lines.items())
        return Curve("quality", "The task's metric, measured at the end of stages.", series)


def thinned(x: NDArray[np.float64], y: NDArray[np.float64], most: int = _MOST_POINTS) -> Points:
    """At most so many points of a line: the lowest and the highest of every piece, so that no peak is lost.

    Args:
        x: Steps, shape (step,), ascending.
        y: Values, shape (step,); those that are not finite are left out.
        most: At least 2.
    """
    kept = np.isfinite(y)
    x, y = x[kept], y[kept]
    if len(x) > most:
        pieces = np.array_split(np.arange(len(x)), most // 2)
        places = [place for piece in pieces for place in (piece[y[piece].argmin()], piece[y[piece].argmax()])]
        chosen = np.unique(places)
        x, y = x[chosen], y[chosen]
    return tuple(zip(x.astype(int).tolist(), y.tolist(), strict=True))


def _line(
    name: str, steps: NDArray[np.float64], values: NDArray[np.float64], *, is_raw: bool = False
) -> tuple[Series, ...]:
    """One line, or none if it has no points."""
    points = thinned(steps, values)
    return (Series(name, points, is_raw),) if points else ()


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each value and those before it; NaN while there are too few."""
    if len(values) < _SMOOTHED:
        return np.full(len(values), np.nan)
    total = np.cumsum(np.concatenate([[0.0], np.nan_to_num(values)]))
    mean = (total[_SMOOTHED:] - total[:-_SMOOTHED]) / _SMOOTHED
    return np.concatenate([np.full(_SMOOTHED - 1, np.nan), mean])


def metrics_csv(history: History) -> str:
    """Every step of every stage as a line of CSV, under the names that metrics.jsonl has; events are left out."""
    records = [record for steps in history.steps.values() for record in steps]
    names = dict.fromkeys(["stage", "step", "total", *(name for record in records for name in record)])
    return csv_text(list(names), records)
