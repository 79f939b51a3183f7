"""How long the rest of a stage takes, from how long its last steps took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import quantiles
from typing import Any, final

from compecon.views.checked_values import number
from compecon.views.spans import span

_LAST = 50
_FEWEST = 5


@final
@dataclass(frozen=True)
class TimeLeft:
    """What is left of a stage if its steps go on as half of the last ones did.

    Attributes:
        low: Seconds at the lower quartile of the last steps.
        median: Seconds at their median.
        high: Seconds at the upper quartile.
    """

    low: float
    median: float
    high: float

    def __str__(self) -> str:
        return span(self.low, self.high)


def step_durations(steps: Sequence[Mapping[str, Any]], last: int = _LAST) -> tuple[float, ...]:
    """Seconds of the last steps of a stage.

    Each step says how long its training had gone on, and that clock begins anew when a run is resumed: what lies
    between the last step of one attempt and the first one of the next is no duration of a step, and is left out. So is
    what lies between steps that do not follow each other.

    Args:
        steps: Records with "step" and "seconds", in order.
        last: How many durations at most.
    """
    found, recent = [], steps[-last - 1 :]
    for before, after in pairwise(recent):
        earlier, later = number(before, "seconds"), number(after, "seconds")
        follows = number(after, "step") == (number(before, "step") or 0) + 1
        if earlier is not None and later is not None and follows and later > earlier:
            found.append(later - earlier)
    return tuple(found)


def time_left(durations: Sequence[float], steps: int) -> TimeLeft | None:
    """What so many steps will take; None if too few were seen, or none is left.

    Args:
        durations: Seconds of steps.
        steps: Steps that are left.
    """
    if len(durations) < _FEWEST or steps <= 0:
        return None
    low, median, high = quantiles(durations, n=4, method="inclusive")
    return TimeLeft(steps * low, steps * median, steps * high)
