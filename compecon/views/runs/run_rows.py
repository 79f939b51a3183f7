"""The list of runs, as its rows are read: what state, how far, how long, what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from compecon.runs.run_record import RunRecord, RunState
from compecon.views.checked_values import number, text
from compecon.views.runs.pace import crowding, elapsed, silence
from compecon.views.runs.time_left import TimeLeft, time_left
from compecon.views.spans import ago

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
    """A run in the list.

    Attributes:
        run_id: Its name.
        state: Its state.
        sign: A shape that stands for the state.
        word: The state in a word.
        title: A line for people, written by anybody.
        recipe: What kind of run.
        progress: Part of the present stage that is done, in [0, 1]; None while nobody knows.
        stage: The stage and its steps, such as "incentive 120 of 540".
        left: Time left in the stage as a range, or "".
        quality: What the task's metric came to; None before the end.
        share: Share of the MACs of heads and neurons that is left; None where nothing was removed or known.
        reason: Why it is where it is; may be empty.
        when: How long ago it was submitted.
        sweep: The sweep it belongs to, or "".
        elapsed: How long the present attempt has been at work, or "".
        pace: What keeps it from going on as it should, in sentences, or "".
    """

    run_id: str
    state: RunState
    sign: str
    word: str
    title: str
    recipe: str
    progress: float | None
    stage: str
    left: str
    quality: float | None
    share: float | None
    reason: str
    when: str
    sweep: str
    elapsed: str = ""
    pace: str = ""


@final
@dataclass(frozen=True)
class Listed:
    """What of the runs is shown.

    Attributes:
        records: Those shown, newest first.
        n_found: How many fit the filter.
        n_all: How many there are.
        n_lost: How many of all were interrupted and can go on.
    """

    records: tuple[RunRecord, ...]
    n_found: int
    n_all: int
    n_lost: int


@final
@dataclass(frozen=True)
class Tally:
    """The runs of a sweep as one.

    Attributes:
        words: How many are in each state: "2 done, 1 running".
        can_stop: Whether one is not finished.
        can_resume: Whether one ended before its time.
    """

    words: str
    can_stop: bool
    can_resume: bool


def sweep_tally(records: Iterable[RunRecord], sweep: str) -> Tally:
    """The runs of a sweep as one, states in the order of a run's life."""
    states = [record.state for record in records if record.spec.sweep == sweep]
    words = (f"{states.count(state)} {word}" for state, (_, word) in SIGNS.items() if state in states)
    return Tally(
        ", ".join(words),
        can_stop=not all(state.is_finished for state in states),
        can_resume=any(state.can_resume for state in states),
    )


def listed(records: Sequence[RunRecord], words: str = "", state: str = "", sweep: str = "", most: int = 50) -> Listed:
    """Those runs that fit a filter, the newest of them.

    Args:
        records: Newest first.
        words: All of these have to be in the title, the name or the recipe, in any case and order.
        state: A word of `SIGNS`; "" for any.
        sweep: A sweep; "" for any.
        most: How many to show.
    """
    found = [each for each in records if _fits(each, words.lower().split(), state, sweep)]
    return Listed(
        records=tuple(found[:most]),
        n_found=len(found),
        n_all=len(records),
        n_lost=sum(each.state is RunState.LOST for each in records),
    )


def _fits(record: RunRecord, words: Iterable[str], state: str, sweep: str) -> bool:
    spoken = f"{record.title} {record.run_id} {record.spec.recipe} {record.spec.sweep}".lower()
    return (
        all(word in spoken for word in words) and state in ("", sign_of(record)[1]) and sweep in ("", record.spec.sweep)
    )


def run_rows(
    records: Iterable[RunRecord], now: float, durations: Mapping[str, Sequence[float]] | None = None
) -> tuple[RunRow, ...]:
    """Rows of the list.

    Args:
        records: The runs, in the order of the rows.
        now: Seconds since 1970.
        durations: By a run's name, seconds of its last steps; runs that are not in it have no time left.
    """
    known = durations or {}
    return tuple(run_row(record, now, known.get(record.run_id, ())) for record in records)


def run_row(record: RunRecord, now: float, durations: Sequence[float] = ()) -> RunRow:
    """A row of the list, as of `run_rows`."""
    sign, word = sign_of(record)
    results, left = record.status.results, left_of(record, durations)
    return RunRow(
        run_id=record.run_id,
        state=record.state,
        sign=sign,
        word=word,
        title=record.title,
        recipe=record.spec.recipe,
        progress=progress_of(record),
        stage=stage_of(record),
        left=str(left) if left else "",
        quality=number(results, "metric", "value"),
        share=number(results, "share"),
        reason=reason_of(record),
        when=ago(now - record.spec.created_at) if record.spec.created_at else "",
        sweep=record.spec.sweep,
        elapsed=elapsed(record),
        pace=" ".join(filter(None, (silence(record, now), crowding(record)))),
    )


def sign_of(record: RunRecord) -> tuple[str, str]:
    """The shape and the word for a run's state."""
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


def left_of(record: RunRecord, durations: Sequence[float]) -> TimeLeft | None:
    """Time left in the stage of a run that is at work; None for others, and while nobody can tell."""
    if record.state is not RunState.RUNNING or record.is_stalled:
        return None
    return time_left(durations, record.status.total - record.status.step)


def reason_of(record: RunRecord) -> str:
    """Why a run is where it is; for a success the sentence of what it achieved."""
    if record.is_stalled:
        return HALTED
    return record.reason or text(record.status.results, "sentence")
