"""Limits on what to take: a ceiling on cost, floors of quality and of its change, and how far a mark breaks them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

from compecon.views.frontier.drawn import FrontierMark, FrontierView, Quality
from compecon.views.frontier.frontier_points import Reading
from compecon.views.frontier.names import DENSE

FINISHED = ("front", "tied", "dominated")


@final
@dataclass(frozen=True)
class Wish:
    """Limits; None is no limit. Without any, the best checkpoint is advised."""

    # ceiling on the cost as a share of the dense model's, in (0, 1]: 0.5 for half of the compute; of the highest cost
    # shown where no dense model has such a cost
    most_share: float | None = None
    most_cost: float | None = None  # ceiling on the cost in the unit of x
    least_quality: float | None = None  # floor of the metric; a ceiling where lower is better
    least_change: float | None = None  # floor of the change from the dense parent, such as -0.01 for one point less


@final
@dataclass(frozen=True)
class Limits:
    """A wish, in the units of a view's axes."""

    view: FrontierView
    wish: Wish

    @cached_property
    def dense_x(self) -> float:
        """Cost of the dense model: the highest of its marks; 0 if it has none, as for training after it."""
        dense = (mark for mark in self.view.marks if mark.point.family == DENSE and mark.standing in FINISHED)
        return max((mark.x.value for mark in dense), default=0.0)

    @cached_property
    def most_x(self) -> float | None:
        """The ceiling in the unit of x; None if there is none."""
        share, cost = self.wish.most_share, self.wish.most_cost
        ceilings = (None if share is None else share * (self.dense_x or self.view.reference[0]), cost)
        return min((ceiling for ceiling in ceilings if ceiling is not None), default=None)

    @property
    def least_y(self) -> float | None:
        """The floor in the unit of y; None if there is none on this axis."""
        return self.wish.least_quality if self.view.axes.y == "quality" else self.wish.least_change

    @property
    def is_floor_alone(self) -> bool:
        """Whether only quality or its change is limited, so that the cheapest mark is wanted."""
        return self.most_x is None and (self.wish.least_quality, self.wish.least_change) != (None, None)

    def excess(self, mark: FrontierMark) -> float:
        """How far a mark breaks the limits; 0 if it does not. A point of quality counts like a tenth of the ceiling."""
        most = self.most_x
        over = 0.0 if most is None else max(0.0, mark.x.value / most - 1 if most > 0 else mark.x.value)
        floors: tuple[tuple[Quality, float | None], ...] = (
            ("quality", self.wish.least_quality), ("change", self.wish.least_change),
        )  # fmt: skip
        for axis, floor in floors:
            if floor is not None:
                reading = self._reading(mark, axis)
                over += 1e9 if reading is None else max(0.0, 10 * self.view.sign * (floor - reading.value))
        return over

    def is_sure(self, mark: FrontierMark) -> bool:
        """Whether the floor of the metric holds for the worse end of the interval too."""
        floor, reading = self.wish.least_quality, self._reading(mark, "quality")
        if floor is None or reading is None or reading.ends is None:
            return floor is None
        return reading.ends[0] >= floor if self.view.higher_is_better else reading.ends[1] <= floor

    def _reading(self, mark: FrontierMark, axis: Quality) -> Reading | None:
        """A mark's metric, or its change from the dense parent, on the view's split."""
        if self.view.axes.y == axis:
            return mark.y
        point = mark.point
        return (point.quality if axis == "quality" else point.change) if point.split == self.view.split else None
