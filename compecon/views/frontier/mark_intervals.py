"""How sure a mark's y is, and whether two marks can be told apart."""

from __future__ import annotations

from compecon.views.frontier.drawn import FrontierMark


def interval_of(mark: FrontierMark) -> tuple[float, float] | None:
    """Ends of the interval of a mark's y: its own, else as wide as that of its metric; None if neither is known."""
    if mark.y_low is not None and mark.y_high is not None:
        return mark.y_low, mark.y_high
    quality = mark.point.quality
    if quality is None or quality.low is None or quality.high is None:
        return None
    return mark.y - (quality.value - quality.low), mark.y + (quality.high - quality.value)


def overlap(one: FrontierMark, other: FrontierMark) -> bool:
    """Whether the intervals of two marks have a number in common; a number without an interval is one of its own."""
    low, high = interval_of(one) or (one.y, one.y)
    low_2, high_2 = interval_of(other) or (other.y, other.y)
    return low <= high_2 and low_2 <= high
