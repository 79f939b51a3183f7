"""Signs of life of a run that is at work, and what a busy machine does to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from compecon.runs.jobs.expected import Expected
from compecon.runs.jobs.machine_speed import Speed
from compecon.runs.run_record import RunRecord, RunSpec, RunState, Status
from compecon.views.runs.expected_cost import Room, estimate_view
from compecon.views.runs.pace import crowding, elapsed, silence
from compecon.views.runs.run_rows import run_row

NOW = 1_000_000.0


def a_run(state: RunState = RunState.RUNNING, *, threads: int = 1, queue: str = "cpu", **said: object) -> RunRecord:
    status = replace(Status(state, seconds=7.0), **said)
    spec = RunSpec("train", threads=threads, queue=queue)
    return RunRecord("train-00000001", Path("/nowhere"), spec, status, state, "", heard_at=NOW)


@pytest.mark.parametrize("state", list(RunState))
def test_a_run_shows_how_long_it_has_been_at_work_from_its_first_second(state: RunState) -> None:
    at_work = state in (RunState.STARTING, RunState.RUNNING, RunState.STOPPING)
    assert elapsed(a_run(state)) == ("7 s" if at_work else "")
    assert run_row(a_run(state), NOW).elapsed == elapsed(a_run(state))


def test_who_is_to_stop_while_it_waits_is_not_at_work() -> None:
    assert elapsed(replace(a_run(RunState.QUEUED), state=RunState.STOPPING)) == ""


def test_silence_is_told_once_it_is_long_and_of_those_at_work_alone() -> None:
    assert silence(a_run(), NOW + 2) == silence(a_run(), NOW - 3600) == ""
    assert "60 s" in silence(a_run(), NOW + 60)
    assert silence(a_run(RunState.QUEUED), NOW + 60) == silence(a_run(RunState.FAILED), NOW + 60) == ""
    assert silence(replace(a_run(), heard_at=0.0), NOW) == ""


@pytest.mark.parametrize(
    ("own", "others", "threads", "times"),
    [(0.25, 1.75, 1, 4.0), (0.5, 1.5, 2, 4.0), (0.95, 1.0, 1, None), (0.2, 0.1, 1, None), (0.0, 2.0, 1, 100.0)],
)
def test_a_run_that_gets_less_than_it_could_use_of_a_busy_machine_takes_longer(
    own: float, others: float, threads: int, times: float | None
) -> None:
    record = a_run(threads=threads, load={"own": own, "others": others, "cores": 2})
    assert (f"about {times} times" in crowding(record)) if times else crowding(record) == ""
    assert crowding(replace(record, state=RunState.SUCCEEDED)) == ""
    assert crowding(replace(record, spec=replace(record.spec, queue="gpu"))) == ""


def test_beside_programs_that_compute_an_estimate_grows_at_its_upper_end() -> None:
    expected = Expected(10.0, 20.0, 30.0, 1, 1, 1.0)
    idle, busy = (Room(10**12, 10**12, load=load, cores=2) for load in (0.5, 5.0))
    assert (idle.stretch, busy.stretch) == (1.0, 3.0)
    calm, crowded = (estimate_view([expected], 1, Speed(), room) for room in (idle, busy))
    assert (dict(calm.lines)["time"], dict(crowded.lines)["time"]) == ("10–30 s", "0.2–1.5 min")
    assert (len(calm.warnings), len(crowded.warnings)) == (0, 1)


@pytest.mark.parametrize("load", [{}, {"own": "x"}, {"own": 0.1, "others": 2, "cores": 0}, {"own": None}])
def test_a_load_that_is_none_says_nothing(load: dict[str, object]) -> None:
    assert crowding(a_run(load=load)) == ""
