"""One run as its page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

from compecon.runs.run_record import RunRecord, RunState
from compecon.views.checked_values import text
from compecon.views.runs.curves import Courses, Curve, StageMark
from compecon.views.runs.results import Expectation, Fact, expectations_of, facts_of
from compecon.views.runs.run_rows import RunRow, run_row
from compecon.views.runs.spec_diff import shown
from compecon.views.spans import duration

Action = Literal["stop", "kill", "resume", "again", "open", "delete"]


@final
@dataclass(frozen=True)
class RunDetail:
    """What is known of a run."""

    row: RunRow
    sentence: str  # what it achieved; "" before the end
    about: tuple[Fact, ...]  # where and when it runs or ran
    facts: tuple[Fact, ...]  # results, as numbers with their names
    curves: tuple[Curve, ...]  # its numbers over the steps of all stages
    stages: tuple[StageMark, ...]  # where its stages begin on that axis
    expectations: tuple[Expectation, ...]  # expected costs and what they came to
    settings: tuple[Fact, ...]  # all of its parameters, name and value
    actions: tuple[Action, ...]  # what can be done with it now
    log: str  # end of its log


def run_detail(
    record: RunRecord, courses: Courses, log_tail: str, *, now: float, durations: Sequence[float] = ()
) -> RunDetail:
    """A run for its page, from its metrics, the end of its log, the time in seconds since 1970, and its last steps'."""
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
    return text(record.status.results, "sentence") if record.state is RunState.SUCCEEDED else ""


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
    """A log as a terminal would show it: of a line that a progress bar wrote again and again, the last version."""
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
