"""One run as its page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

from compecon.runs.run_record import RunRecord, RunState
from compecon.views.runs.curves import Courses, Curve, StageMark
from compecon.views.runs.results import Expectation, Fact, expectations_of, facts_of
from compecon.views.runs.run_rows import RunRow, run_row
from compecon.views.runs.spec_diff import shown
from compecon.views.spans import duration

Action = Literal["stop", "kill", "resume", "again", "open", "delete"]


@final
@dataclass(frozen=True)
class RunDetail:
    """What is known of a run.

    Attributes:
        row: As in the list.
        sentence: What it achieved; "" before the end.
        about: Where and when it runs or ran.
        facts: Results, in numbers with their names.
        curves: Courses of its numbers.
        stages: Where its stages begin on their axis.
        expectations: Expected costs and what they came to.
        settings: All of its parameters, name and value.
        actions: What can be done with it now.
        log: End of its log.
    """

    row: RunRow
    sentence: str
    about: tuple[Fact, ...]
    facts: tuple[Fact, ...]
    curves: tuple[Curve, ...]
    stages: tuple[StageMark, ...]
    expectations: tuple[Expectation, ...]
    settings: tuple[Fact, ...]
    actions: tuple[Action, ...]
    log: str


def run_detail(
    record: RunRecord, courses: Courses, log_tail: str, *, now: float, durations: Sequence[float] = ()
) -> RunDetail:
    """One run, for its page.

    Args:
        record: The run.
        courses: Its metrics.
        log_tail: End of its log.
        now: Seconds since 1970.
        durations: Seconds of its last steps.
    """
    return RunDetail(
        row=run_row(record, now, durations),
        sentence=sentence_of(record),
        about=_about(record),
        facts=facts_of(record.status.results),
        curves=courses.curves(),
        stages=courses.stages,
        expectations=expectations_of(record.status.results),
        settings=tuple(Fact(name, shown(value)) for name, value in record.spec.params.items()),
        actions=actions_of(record),
        log=_settled(log_tail),
    )


def sentence_of(record: RunRecord) -> str:
    """What a run achieved, in a sentence; "" if it has not succeeded."""
    said: Any = record.status.results.get("sentence", "")
    return said if record.state is RunState.SUCCEEDED and isinstance(said, str) else ""


def actions_of(record: RunRecord) -> tuple[Action, ...]:
    """What can be done with a run: stopping comes first, and deleting last."""
    if record.state is RunState.NEWER:
        return ()
    if not record.state.is_finished:
        return ("kill",) if record.state is RunState.STOPPING else ("stop",)
    found: list[Action] = ["open"] if record.checkpoint else []
    if record.state.can_resume:
        found.append("again" if record.state is RunState.FAILED else "resume")
    return (*found, "delete")


def _settled(log: str) -> str:
    """A log as a terminal would show it: a line that was written over, by a progress bar, as it was at last."""
    return "".join(line.rstrip("\r\n").rpartition("\r")[2] + "\n" for line in log.split("\n") if line)


def _about(record: RunRecord) -> tuple[Fact, ...]:
    status = record.status
    device = " on ".join(filter(None, ("" if status.device == "none" else status.device, status.host)))
    lines = (
        ("time of this attempt", duration(status.seconds) if status.seconds else ""),
        ("attempt", str(status.attempt) if status.attempt > 1 else ""),
        ("device", device),
        ("run", record.run_id),
        ("folder", str(record.folder)),
        ("checkpoint", str(record.checkpoint or "")),
    )
    return tuple(Fact(name, value) for name, value in lines if value)
