"""Turns on the processor and memory for sweeps: who goes first, who waits, and who stops waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from app.models.memory import SHARE, MemoryGate
from app.models.turns import LONG_S, Job, Turns

WAIT_S = 60


def always() -> bool:
    return True


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def waits_for_a_turn(turns: Turns, job: Job) -> Callable[[], None]:
    """A thread that waits for a turn; calling what is returned waits until it had one."""

    def take() -> None:
        with turns.turn(job):
            had.set()

    had = threading.Event()
    thread = in_thread(take)
    while job not in turns._waiting and not had.is_set():
        thread.join(0.001)

    def join() -> None:
        assert had.wait(WAIT_S)
        thread.join(WAIT_S)

    return join


def test_the_job_that_used_least_goes_first() -> None:
    turns, order = Turns(1, 1), list[str]()
    jobs = {name: Job(always, used) for name, used in (("much", 0.9), ("little", 0.1), ("none", 0.0), ("half", 0.5))}

    def take(name: str) -> None:
        with turns.turn(jobs[name]):
            order.append(name)

    with turns.turn(Job(always)):
        threads = [in_thread(lambda name=name: take(name)) for name in jobs]  # type: ignore[misc]
        while len(turns._waiting) < len(jobs):
            threads[0].join(0.001)
    for thread in threads:
        thread.join(WAIT_S)
    assert order == ["none", "little", "half", "much"]


def test_long_jobs_leave_a_place_for_a_short_one() -> None:
    turns, long = Turns(3, 2), [Job(always, LONG_S + i + 1) for i in range(3)]
    with ExitStack() as running:
        for job in long[:2]:
            running.enter_context(turns.turn(job))
        third = waits_for_a_turn(turns, long[2])
        with turns.turn(Job(always)) as still_wanted:
            assert still_wanted
            assert long[2] in turns._waiting
    third()


def test_a_job_learns_how_many_are_ahead_of_it() -> None:
    turns = Turns(2, 1)
    assert turns.ahead_of(Job(always)) == 0
    with turns.turn(Job(always)):
        assert turns.ahead_of(Job(always)) == 0
        with turns.turn(Job(always)):
            assert turns.ahead_of(Job(always)) == 2
            waits = waits_for_a_turn(turns, Job(always))
            assert turns.ahead_of(Job(always)) == 3
    waits()


def test_a_job_is_charged_for_its_own_turn_and_not_for_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 13.0, 20.0, 21.5])  # each turn's begin and end, in seconds
    monkeypatch.setattr("app.models.turns.time", SimpleNamespace(monotonic=clock.__next__))
    turns, one, other = Turns(1, 1), Job(always), Job(always)
    with turns.turn(one):
        waiting = waits_for_a_turn(turns, other)
    waiting()
    assert (one.used_s, other.used_s) == (3.0, 1.5)


def test_a_job_that_nobody_wants_stops_waiting() -> None:
    turns, dropped = Turns(1, 1), threading.Event()
    seen = list[bool]()

    def take() -> None:
        with turns.turn(Job(lambda: not dropped.is_set())) as still_wanted:
            seen.append(still_wanted)

    with turns.turn(Job(always)):
        thread = in_thread(take)
        dropped.set()
        thread.join(WAIT_S)
        assert seen == [False]


# ---- jobs that measure time


def test_a_job_that_measures_waits_until_no_other_runs_or_waits() -> None:
    turns, measuring = Turns(3, 2), Job(always, needs_quiet=True)
    with ExitStack() as first:
        first.enter_context(turns.turn(Job(always, 5.0)))
        waits = waits_for_a_turn(turns, measuring)
        assert turns.ahead_of(Job(always)) == 0  # nobody waits for it
        with turns.turn(Job(always, 9.0)) as still_wanted:  # a place is free, and it goes first
            assert still_wanted
            assert measuring in turns._waiting
        assert measuring in turns._waiting
    waits()


def test_another_job_does_not_wait_for_one_that_measures() -> None:
    turns = Turns(3, 2)
    with turns.turn(Job(always, needs_quiet=True)):
        second = waits_for_a_turn(turns, Job(always, needs_quiet=True))
        with turns.turn(Job(always, 9.0)) as still_wanted:
            assert still_wanted
            assert len(turns._waiting) == 1
    second()


def test_jobs_that_measure_follow_each_other() -> None:
    turns, jobs = Turns(3, 2), [Job(always, used, needs_quiet=True) for used in (3.0, 1.0)]
    with turns.turn(Job(always)):
        waiting = [waits_for_a_turn(turns, job) for job in jobs]
    for join in waiting:
        join()
    assert turns._running == turns._waiting == []


# ---- memory


@pytest.mark.parametrize(("need", "enough"), [(0, True), (600, True), (601, False)])
def test_a_sweep_that_needs_more_than_is_free_is_told_how_much_is(need: int, enough: bool) -> None:
    with MemoryGate(lambda: 1000).hold(need, always) as short:
        assert short == (0 if enough else 1000)


def test_sweeps_whose_needs_do_not_fit_together_follow_each_other() -> None:
    gate, order = MemoryGate(lambda: 1000), list[str]()
    need = int(SHARE * 1000) - 10

    def take() -> None:
        with gate.hold(need, always) as short:
            order.append(f"second, {short} short")

    with gate.hold(need, always):
        assert gate.would_wait(need)
        assert not gate.would_wait(10)
        with gate.hold(10, always) as short:
            assert short == 0
        thread = in_thread(take)
        order.append("first")
    thread.join(WAIT_S)
    assert order == ["first", "second, 0 short"]
    assert not gate.would_wait(need)


def test_a_sweep_that_nobody_wants_does_not_wait_for_memory() -> None:
    gate = MemoryGate(lambda: 1000)
    with gate.hold(600, always), gate.hold(600, lambda: False):
        pass
