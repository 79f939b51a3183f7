"""How long a run still takes, as a range, from the steps that it has just done."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import final

from compecon.runs.files import tail, whole_lines
from compecon.runs.record import RunRecord, RunState
from compecon.runs.store import METRICS

_BLOCKS = 5
_LOOK_BACK = 100  # steps
_NEVER_CLOSER = 0.1


@final
@dataclass(frozen=True)
class TimeLeft:
    """Seconds until the end of the stage that is under way.

    Attributes:
        low: If the rest goes as fast as the fastest part of what was just done.
        high: If it goes as slowly as the slowest part.
    """

    low: float
    high: float

    def __str__(self) -> str:
        low, high = in_words(self.low), in_words(self.high)
        return low if low == high else f"{low} to {high}"


def time_left(record: RunRecord) -> TimeLeft | None:
    """How long the stage of a run still takes; None if that cannot be said."""
    status = record.status
    if record.state is not RunState.RUNNING or not 0 < status.step < status.total:
        return None
    seconds = _recent(record)[-_LOOK_BACK:]
    spent = [later - sooner for sooner, later in pairwise(seconds) if later > sooner]
    if len(spent) < _BLOCKS:
        return None
    size = len(spent) // _BLOCKS
    paces = [sum(spent[n * size : (n + 1) * size]) / size for n in range(_BLOCKS)]
    mean, left = sum(spent) / len(spent), status.total - status.step
    low, high = min(*paces, mean * (1 - _NEVER_CLOSER)), max(*paces, mean * (1 + _NEVER_CLOSER))
    return TimeLeft(left * low, left * high)


def in_words(seconds: float) -> str:
    """A time as people say it: "40 s", "7 min", "2.5 h", "3 days"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5_400:
        return f"{round(seconds / 60)} min"
    if seconds < 172_800:
        return f"{seconds / 3_600:.1f} h"
    return f"{round(seconds / 86_400)} days"


def _recent(record: RunRecord) -> list[float]:
    """Times of the last steps of the stage, in the order in which they were done."""
    found = []
    for line in whole_lines(tail(record.folder / METRICS).encode()).splitlines():
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and value.get("stage") == record.status.stage:
            seconds = value.get("seconds")
            if isinstance(seconds, int | float):
                found.append(float(seconds))
    return found
