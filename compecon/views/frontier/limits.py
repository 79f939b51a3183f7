"""Limits on what to take: a ceiling on cost, floors of quality and of its change, and how far a mark breaks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from compecon.views.frontier.drawn import FrontierMark, FrontierView
from compecon.views.frontier.points_of import Reading


@final
@dataclass(frozen=True)
class Wish:
    """Limits; what is None is no limit. With none of them the best one is advised.

    Attributes:
        most_share: Ceiling on the cost as a share of the dense model's, in (0, 1]: 0.5 for half of the compute; of the
            highest cost shown where no dense model has such a cost.
        most_cost: Ceiling on the cost in the unit of x.
        least_quality: Floor of the metric; a ceiling where lower is better.
        least_change: Floor of the change from the dense parent, such as -0.01 for one point less.
    """

    most_share: float | None = None
    most_cost: float | None = None
    least_quality: float | None = None
    least_change: float | None = None


@final
@dataclass(frozen=True)
class Limits:
    """Limits on a view's marks.

    Attributes:
        view: The view.
        wish: What was asked for.
        most_x: The ceiling in the unit of x; None if there is none.
    """

    view: FrontierView
    wish: Wish
    most_x: float | None

    @property
    def has_floor(self) -> bool:
        """Whether quality or its change has a floor."""
        return self.wish.least_quality is not None or self.wish.least_change is not None

    def hold(self, mark: FrontierMark) -> bool:
        """Whether a mark keeps to all of them; what is not known does not."""
        return self.excess(mark) <= 0

    def excess(self, mark: FrontierMark) -> float:
        """How far a mark breaks them; 0 if it does not. A point of quality counts like a tenth of the ceiling."""
        over = 0.0 if self.most_x is None else max(0.0, mark.x / self.most_x - 1 if self.most_x > 0 else mark.x)
        sign = 1 if self.view.higher_is_better else -1
        wished = (self.wish.least_quality, self.wish.least_change)
        for floor, reading in zip(wished, (quality_of(mark, self.view), change_of(mark, self.view)), strict=True):
            if floor is not None:
                over += 1e9 if reading is None else max(0.0, 10 * sign * (floor - reading.value))
        return over

    def is_sure(self, mark: FrontierMark) -> bool:
        """Whether the floor of the metric holds for the worse end of the interval too."""
        floor, reading = self.wish.least_quality, quality_of(mark, self.view)
        if floor is None or reading is None or reading.low is None or reading.high is None:
            return floor is None
        return reading.low >= floor if self.view.higher_is_better else reading.high <= floor

    @property
    def numbers(self) -> tuple[float | None, float | None, float | None]:
        """The ceiling in the unit of x, the floor of the metric, and that of the change."""
        return self.most_x, self.wish.least_quality, self.wish.least_change


def quality_of(mark: FrontierMark, view: FrontierView) -> Reading | None:
    """A mark's metric on the view's split."""
    if view.axes.y == "quality":
        return Reading(mark.y, mark.y_low, mark.y_high)
    return mark.point.quality if mark.point.split == view.split else None


def change_of(mark: FrontierMark, view: FrontierView) -> Reading | None:
    """A mark's change from its dense parent on the view's split."""
    if view.axes.y == "change":
        return Reading(mark.y, mark.y_low, mark.y_high)
    return mark.point.change if mark.point.split == view.split else None
