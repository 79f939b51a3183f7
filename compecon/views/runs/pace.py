"""How long a run has taken and still needs, whether it shows signs of life, and what a busy machine does to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import quantiles
from typing import Any

from compecon.runs.run_record import RunRecord, RunState
from compecon.views.checked_values import number
from compecon.views.spans import duration

_SILENT_S = 20.0  # a worker writes each second; a machine that is short of everything makes it late
_FULL = 0.85  # share of the cores that are in use from which a machine is busy
_ENOUGH = 0.75  # share of its threads that a run has to get to be on time
_AT_WORK = (RunState.STARTING, RunState.RUNNING, RunState.STOPPING)
_LAST_STEPS, _FEWEST_STEPS = 50, 5


def elapsed(record: RunRecord) -> str:
    """How long the present attempt has been at work; "" for a run that waits or has ended."""
    if record.state not in _AT_WORK or record.status.state is RunState.QUEUED:
        return ""
    return duration(record.status.seconds)


def silence(record: RunRecord, now: float) -> str:
    """How long a run that is at work has given no sign of life, in a sentence; "" while it does.

    Args:
        record: The run.
        now: Seconds since 1970, by the clock that its files are dated by.
    """
    if not elapsed(record) or not record.heard_at or now - record.heard_at < _SILENT_S:
        return ""
    return f"No sign of life for {duration(now - record.heard_at)}."


def crowding(record: RunRecord) -> str:
    """What a busy machine does to a run that computes on its processors, in a sentence; "" if it has what it needs."""
    own, others, cores = (number(record.status.load, name) for name in ("own", "others", "cores"))
    if own is None or others is None or not cores or not elapsed(record) or record.spec.queue == "gpu":
        return ""
    threads = record.spec.threads
    if own + others < _FULL * cores or own >= _ENOUGH * threads:
        return ""
    return (
        f"The machine is busy: other programs use {others:.1f} of its {cores:g} cores, and this run gets {own:.2f}. "
        f"It takes about {threads / max(own, 0.01):.1f} times as long as estimated."
    )


def step_durations(steps: Sequence[Mapping[str, Any]], last: int = _LAST_STEPS) -> tuple[float, ...]:
    """Seconds of the last steps of a stage, from records with "step" and "seconds", in order.

    Each record says how long its training had been going on, and that clock starts again when a run is resumed. Only
    the time between two steps that follow each other in one attempt is the duration of a step.
    """
    found = []
    for before, after in pairwise(steps[-last - 1 :]):
        earlier, later = number(before, "seconds"), number(after, "seconds")
        follows = number(after, "step") == (number(before, "step") or 0) + 1
        if earlier is not None and later is not None and follows and later > earlier:
            found.append(later - earlier)
    return tuple(found)


def seconds_left(durations: Sequence[float], steps: int) -> tuple[float, float] | None:
    """Time for the remaining steps at the quartiles of some durations; None if too few are known or no step is left."""
    if len(durations) < _FEWEST_STEPS or steps <= 0:
        return None
    low, _, high = quantiles(durations, n=4, method="inclusive")
    return steps * low, steps * high
