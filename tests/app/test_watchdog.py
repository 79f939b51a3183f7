"""What is taken for stuck, by a clock of its own: steps in a process of models, and the silence of one."""

from __future__ import annotations

from app.models.pulse import SILENT_S, Pulse
from app.models.watchdog import Watchdog, pass_seconds


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_step_is_late_once_it_takes_longer_than_it_may_and_not_before() -> None:
    clock, late = Clock(), list[float]()
    watchdog = Watchdog(clock)
    step = watchdog.step(10, late.append)
    clock.now = 100
    assert not watchdog.bites()  # it has not begun
    with step:
        clock.now = 110
        assert not watchdog.bites()
        clock.now = 111
        assert watchdog.bites()
    assert late == [10]
    clock.now = 500
    assert not watchdog.bites()  # it has ended
    with step:
        assert not watchdog.bites()  # and begins anew


def test_who_asks_whether_it_is_wanted_is_alive() -> None:
    clock = Clock()
    watchdog = Watchdog(clock)
    with watchdog.step(10) as step:
        wanted = step.asking(lambda: clock.now < 15)
        answers = []
        for clock.now in (8.0, 16.0, 24.0):
            answers.append(wanted())
            assert not watchdog.bites()
        clock.now = 35
        assert watchdog.bites()
    assert answers == [True, False, False]


def test_a_pass_may_take_longer_the_more_it_costs() -> None:
    small = pass_seconds(10**6, 100, 10**6)
    assert small < pass_seconds(10**9, 100, 10**6)
    assert small < pass_seconds(10**6, 10**6, 10**6)
    assert small < pass_seconds(10**6, 100, 10**10)


def test_silence_counts_from_the_first_word() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    for clock.now in range(500):
        assert not pulse.is_lost()  # it may still be importing
    pulse.beat()
    for clock.now in range(500, 500 + int(SILENT_S)):
        assert not pulse.is_lost()
    clock.now += 1
    assert pulse.is_lost()


def test_a_machine_that_slept_has_heard_nothing_and_that_means_nothing() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    pulse.beat()
    clock.now = 1
    assert not pulse.is_lost()
    clock.now = 10_000
    assert not pulse.is_lost()
    clock.now += 1
    assert not pulse.is_lost()
