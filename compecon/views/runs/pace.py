"""How long a run has been at work, whether it gives signs of life, and what a busy machine does to it."""

from __future__ import annotations

from compecon.runs.run_record import RunRecord, RunState
from compecon.views.checked_values import number
from compecon.views.spans import duration

_SILENT_S = 20.0  # a worker writes each second; a machine that is short of everything makes it late
_FULL = 0.85  # share of the cores that are in use from which a machine is busy
_ENOUGH = 0.75  # share of its threads that a run has to get to be on time
_AT_WORK = (RunState.STARTING, RunState.RUNNING, RunState.STOPPING)


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
    times = threads / max(own, 0.01)
    return (
        f"The machine is busy: other programs use {others:.1f} of its {cores:g} cores, and this run gets {own:.2f}. "
        f"It takes about {times:.1f} times as long as estimated."
    )
