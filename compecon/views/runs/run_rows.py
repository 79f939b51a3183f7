"""The list of runs, row by row: state, progress, time, result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from compecon.runs.run_record import RunRecord, RunState
from compecon.views.checked_values import number, text
from compecon.views.runs.pace import crowding, elapsed, seconds_left, silence
from compecon.views.spans import ago, span

_SHAPES: Mapping[RunState, str] = {
    RunState.QUEUED: "⋯",
    RunState.STARTING: "◔",
    RunState.RUNNING: "○",
    RunState.STOPPING: "◑",
    RunState.SUCCEEDED: "●",
    RunState.FAILED: "✕",
    RunState.CANCELLED: "■",
    RunState.LOST: "◇",
    RunState.NEWER: "△",
}
# A shape for each state, so that no state is shown by colour alone, and the word that the commands print too.
SIGNS: Mapping[RunState, tuple[str, str]] = {state: (shape, state.lower()) for state, shape in _SHAPES.items()}
_STALLED = ("‖", "halted")
HALTED = "Its process was suspended from outside (SIGSTOP). Stop it, or let it continue with SIGCONT."


@final
@dataclass(frozen=True)
class RunRow:
    """A run in the list."""

    run_id: str
    state: RunState
    sign: str  # a shape that stands for the state
    word: str  # the state in a word
    title: str  # may hold any text
    progress: float | None  # part of the present stage that is done, in [0, 1]; None if that is not known
    stage: str  # the stage and its steps, such as "incentive 120 of 540"
    left: str  # time left in the stage as a range, or ""
    quality: float | None  # value of the task's metric; None before the end
    share: float | None  # share of the MACs of heads and neurons that is left; None where nothing was removed or known
    reason: str  # why it is where it is; may be empty
    when: str  # how long ago it was submitted
    elapsed: str = ""  # how long the present attempt has been at work, or ""
    pace: str = ""  # what slows it down, in sentences, or ""
    left_s: float | None = None  # seconds left in the stage, the middle of the range; None where "left" is empty
    submitted_at: float | None = None  # seconds since 1970; None if unknown


@final
@dataclass(frozen=True)
class Tally:
    """The runs of a sweep as one."""

    words: str  # how many are in each state: "2 succeeded, 1 running"
    can_stop: bool  # whether one is not finished
    can_resume: bool  # whether one ended before its time


def sweep_tally(records: Iterable[RunRecord], sweep: str) -> Tally:
    """The runs of a sweep as one, states in the order of a run's life."""
    states = [record.state for record in records if record.spec.sweep == sweep]
    words = (f"{states.count(state)} {word}" for state, (_, word) in SIGNS.items() if state in states)
    return Tally(
        ", ".join(words),
        can_stop=not all(state.is_finished for state in states),
        can_resume=any(state.can_resume for state in states),
    )


def matching(records: Iterable[RunRecord], words: str = "", state: str = "", sweep: str = "") -> list[RunRecord]:
    """The runs that fit a filter.

    Args:
        records: Any runs.
        words: All of these have to be in the title, the name, the recipe or the sweep, in any case and order.
        state: A word of `SIGNS`; "" for any.
        sweep: A sweep; "" for any.
    """
    wanted = words.lower().split()

    def fits(record: RunRecord) -> bool:
        spec = record.spec
        said = f"{record.title} {record.run_id} {spec.recipe} {spec.sweep}".lower()
        is_wanted = all(word in said for word in wanted)
        return is_wanted and state in ("", sign_of(record)[1]) and sweep in ("", spec.sweep)

    return [record for record in records if fits(record)]


def run_row(record: RunRecord, now: float, durations: Sequence[float] = ()) -> RunRow:
    """A row of the list.

    Args:
        record: The run.
        now: Seconds since 1970.
        durations: Seconds of its last steps; without them there is no time left.
    """
    sign, word = sign_of(record)
    results = record.status.results
    left = _time_left(record, durations)
    return RunRow(
        run_id=record.run_id,
        state=record.state,
        sign=sign,
        word=word,
        title=record.title,
        progress=progress_of(record),
        stage=stage_of(record),
        left=span(*left) if left else "",
        quality=number(results, "metric", "value"),
        share=number(results, "share"),
        reason=reason_of(record),
        when=ago(now - record.spec.created_at) if record.spec.created_at else "",
        elapsed=elapsed(record),
        pace=" ".join(filter(None, (silence(record, now), crowding(record)))),
        left_s=sum(left) / 2 if left else None,
        submitted_at=record.spec.created_at or None,
    )


def sign_of(record: RunRecord) -> tuple[str, str]:
    """The shape and the word of a run's state."""
    return _STALLED if record.is_stalled else SIGNS[record.state]


def progress_of(record: RunRecord) -> float | None:
    """Part of the present stage that is done, in [0, 1]."""
    if record.state is RunState.SUCCEEDED:
        return 1.0
    total = record.status.total
    return min(1.0, max(0.0, record.status.step / total)) if total > 0 else None


def stage_of(record: RunRecord) -> str:
    """The stage and its steps; "" once it has succeeded or before it has begun."""
    status = record.status
    if record.state is RunState.SUCCEEDED or not status.stage:
        return ""
    return f"{status.stage} {status.step:,} of {status.total:,}" if status.total > 0 else status.stage


def left_of(record: RunRecord, durations: Sequence[float]) -> str:
    """Time left in the stage of a run that is at work, as a range; "" for others, and as long as it is not known."""
    left = _time_left(record, durations)
    return span(*left) if left else ""


def _time_left(record: RunRecord, durations: Sequence[float]) -> tuple[float, float] | None:
    """The same in seconds, from and to; None where it is ""."""
    is_running = record.state is RunState.RUNNING and not record.is_stalled
    return seconds_left(durations, record.status.total - record.status.step) if is_running else None


def reason_of(record: RunRecord) -> str:
    """Why a run is where it is; for a success the sentence of what it achieved."""
    if record.is_stalled:
        return HALTED
    return record.reason or text(record.status.results, "sentence")
