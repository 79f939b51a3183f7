"""Prices against closed forms: the course of a schedule, and the multiplier of a problem solved by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compecon.incentives.price import DualAscent, FixedPrice

CLOSED_FORMS = {
    "constant": lambda _: 1.0,
    "linear": lambda late: 1 - late,
    "cosine": lambda late: math.cos(math.pi * late / 2) ** 2,
}


@pytest.mark.parametrize("schedule", CLOSED_FORMS)
@given(progress=st.floats(0, 1), warmup=st.floats(0, 0.9), height=st.floats(0, 10))
def test_a_fixed_price_climbs_then_follows_its_closed_form(schedule, progress, warmup, height):
    price = FixedPrice(height=height, warmup=warmup, schedule=schedule).updated(cost=0.3, progress=progress)
    late = (progress - warmup) / (1 - warmup)
    expected = height * progress / warmup if progress < warmup else height * CLOSED_FORMS[schedule](late)
    assert price.value == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("schedule", CLOSED_FORMS)
def test_the_first_step_is_charged_in_full_without_a_warm_up_and_nothing_with_one(schedule):
    assert FixedPrice(height=3, warmup=0, schedule=schedule).value == 3
    assert FixedPrice(height=3, warmup=0.1, schedule=schedule).value == 0


def test_a_fixed_price_continues_from_a_value_that_is_given():
    assert FixedPrice(value=0.7, height=3).value == 0.7


def test_a_fixed_price_aims_at_nothing_and_looks_at_no_cost():
    price = FixedPrice(height=2)
    assert price.target is None
    assert price.updated(cost=0.1, progress=0.5) == price.updated(cost=0.9, progress=0.5)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"height": -1.0}, "at least 0"),
        ({"height": math.inf}, "finite"),
        ({"height": math.nan}, "finite"),
        ({"warmup": 1.0}, r"warmup must be in \[0, 1\), got 1"),
        ({"schedule": "step"}, "got 'step'"),
    ],
)
def test_a_fixed_price_that_makes_no_sense_is_refused(wrong, why):
    with pytest.raises(ValueError, match=why):
        FixedPrice(**wrong)


@given(progress=st.floats(0, 1), budget=st.floats(0.01, 1), ramp=st.floats(0, 1))
def test_the_allowed_cost_comes_down_in_a_line_and_then_stays(progress, budget, ramp):
    allowed = DualAscent(budget=budget, ramp=ramp).allowed(progress)
    line = 1 + (budget - 1) * (progress / ramp) if progress < ramp else budget
    assert allowed == pytest.approx(line)
    assert budget <= allowed <= 1


def test_without_a_ramp_the_budget_holds_from_the_start():
    assert DualAscent(budget=0.4, ramp=0).allowed(0.0) == 0.4


@given(value=st.floats(0.1, 10), excess=st.floats(-0.3, 0.3), rate=st.floats(0.01, 0.1))
def test_the_price_moves_by_rate_times_excess(value, excess, rate):
    price = DualAscent(value=value, budget=0.5, rate=rate, ramp=0)
    assert price.updated(cost=0.5 + excess, progress=1.0).value == pytest.approx(value + rate * excess)


@given(cost=st.floats(0, 1), value=st.floats(0, 1))
def test_the_price_is_never_negative(cost, value):
    assert DualAscent(value=value, budget=1.0, rate=10).updated(cost=cost, progress=1.0).value >= 0


def test_a_slack_budget_ends_at_no_price():
    price = DualAscent(value=1.0, budget=0.9, ramp=0)
    for _ in range(100):
        price = price.updated(cost=0.5, progress=1.0)
    assert price.value == 0


@pytest.mark.parametrize("cost", [1.0, math.nan])
def test_a_price_that_diverges_stops_the_training_with_a_way_out(cost):
    price = DualAscent(value=9.9, budget=0.1, rate=1.0, ramp=0, ceiling=10.0)
    with pytest.raises(FloatingPointError, match=r"diverged.*learning rate or the target"):
        price.updated(cost=cost, progress=1.0)


@pytest.mark.parametrize("wrong", [{"budget": 0.0}, {"budget": 1.1}, {"budget": math.nan}])
def test_a_budget_that_is_no_share_is_refused(wrong):
    with pytest.raises(ValueError, match=r"share of the dense cost in \(0, 1\]"):
        DualAscent(**wrong)


@pytest.mark.parametrize("wrong", [{"ramp": -0.1}, {"ramp": 1.5}, {"rate": 0.0}, {"rate": math.nan}, {"value": -1.0}])
def test_an_ascent_that_cannot_work_is_refused(wrong):
    with pytest.raises(ValueError, match="need ramp in"):
        DualAscent(**wrong)


@pytest.mark.parametrize("budget", [0.2, 0.5, 0.8])
def test_descent_and_ascent_find_the_shadow_price_of_a_budget(budget):
    """Minimise (x − 1)² subject to x ≤ b: x = b and, where the gradients balance, price = 2 (1 − b)."""
    x, price = 0.0, DualAscent(value=0.0, budget=budget, rate=0.1, ramp=0)
    for _ in range(1000):
        x -= 0.1 * (2 * (x - 1) + price.value)
        price = price.updated(cost=x, progress=1.0)
    assert x == pytest.approx(budget, abs=1e-6)
    assert price.value == pytest.approx(2 * (1 - budget), abs=1e-6)


def test_a_budget_that_does_not_bind_costs_nothing_and_changes_nothing():
    """Minimise (x − 0.3)² subject to x ≤ 0.5: the free optimum is allowed."""
    x, price = 1.0, DualAscent(value=1.0, budget=0.5, rate=0.1, ramp=0)
    for _ in range(1000):
        x -= 0.1 * (2 * (x - 0.3) + price.value)
        price = price.updated(cost=x, progress=1.0)
    assert (x, price.value) == (pytest.approx(0.3, abs=1e-6), 0.0)
