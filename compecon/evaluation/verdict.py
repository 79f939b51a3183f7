"""What a new checkpoint achieved, in one sentence that claims no more than was measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, final

from compecon.tasks.task_metrics import Estimate, Metric

_SHARES = frozenset({"accuracy", "f1"})  # shares of something, so that people read them in per cent


class Ratio(Protocol):
    """A ratio with its interval, such as that of two times."""

    @property
    def ratio(self) -> float:
        """The ratio."""

    @property
    def low(self) -> float:
        """Lower end of its interval."""

    @property
    def high(self) -> float:
        """Upper end."""


@final
@dataclass(frozen=True)
class Against:
    """A new checkpoint against its parent.

    Attributes:
        task: Name of the task.
        split: What both were measured on.
        metric: What is chosen by.
        value: It, of the new one.
        parent: Name of the parent.
        difference: How much larger it is than the parent's, on the same rows; None if that had no head for the task.
        macs: The new one's MACs by the parent's.
        latency: Its time by the parent's; None if nothing was removed.
    """

    task: str
    split: str
    metric: Metric
    value: Estimate
    parent: str
    difference: Estimate | None
    macs: float
    latency: Ratio | None


def sentence(against: Against) -> str:
    """One sentence, or two if the parent had no head for the task."""
    about = f"{_quality(against)} on {against.task} {against.split}"
    size = _size(against)
    if against.difference is None:
        return f"{about}, at {size}. {against.parent} has no head for {against.task}: there is no quality to compare."
    return f"{about}, {_compared(against.difference, against.metric, against.parent)}, at {size}."


def _quality(against: Against) -> str:
    metric, value = against.metric, against.value.value
    name = f"{metric.name[:1].upper()}{metric.name[1:]}"
    direction = "" if metric.higher_is_better else " (lower is better)"
    if not math.isfinite(value):
        return f"{name} is not defined{direction}"
    return f"{name} {_number(value * metric.scale)}{' %' if metric.name in _SHARES else ''}{direction}"


def _compared(difference: Estimate, metric: Metric, parent: str) -> str:
    value, low, high = (number * metric.scale for number in (difference.value, difference.low, difference.high))
    if not all(map(math.isfinite, (value, low, high))):
        return f"which cannot be compared with {parent}"
    unit = " points" if metric.scale != 1 else ""
    interval = f"95 % interval {low:+.1f} to {high:+.1f}"
    if low <= 0 <= high:
        return f"not told apart from {parent} ({value:+.1f}{unit}, {interval})"
    return f"{abs(value):.1f}{unit} {'above' if value > 0 else 'below'} {parent} ({interval})"


def _size(against: Against) -> str:
    if against.macs == 1:
        return "the same MACs"
    work, latency = f"{against.macs:.2f} of its MACs", against.latency
    if latency is None:
        return work
    if latency.low <= 1 <= latency.high:
        return f"{work} and a time that is not told apart from its own"
    return f"{work} and {latency.ratio:.2f} of its time"


def _number(value: float) -> str:
    return f"{value:.1f}" if abs(value) < 1000 else f"{value:,.0f}"
