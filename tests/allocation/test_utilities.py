import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import lambertw
from scipy.stats import gamma

from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.surge import ShiftedSurge, lambert_w0, lambert_w0_of_one
from compecon.allocation.utilities.truncation import Truncation
from tests.allocation.instances import limited, measured, surges, truncations
from tests.allocation.vectors import CURVE, DECAY, DEMAND, SLOPE, TRUNCATION

ONE = ShiftedSurge(np.array([200.0]), np.array(SLOPE), np.array(DECAY))
CURVES = st.one_of(surges(), truncations(), measured(), limited(st.one_of(surges(), truncations(), measured())))
PRICES = st.floats(0, 3)


def test_lambert_w_agrees_with_scipy_to_a_trillionth():
    z = np.concatenate([np.linspace(0, math.e, 20001), np.logspace(-300, 0, 301)])
    np.testing.assert_allclose(lambert_w0(z), lambertw(z).real, rtol=0, atol=1e-12)
    np.testing.assert_allclose([lambert_w0_of_one(x) for x in z], lambertw(z).real, rtol=0, atol=1e-12)


def test_lambert_w_inverts_its_definition():
    w = np.linspace(0, 1, 10001)
    np.testing.assert_allclose(lambert_w0(w * np.exp(w)), w, rtol=0, atol=1e-12)


def test_a_surge_has_the_values_and_slopes_of_its_formula():
    for spend, value, slope in CURVE:
        assert ONE.value([spend])[0] == pytest.approx(value, abs=1e-6)
        if spend not in (0, 100):
            assert ONE.marginal([spend])[0] == pytest.approx(slope, abs=1e-6)


def test_demand_of_a_surge_is_the_closed_form():
    for share, w, beyond in DEMAND:
        assert lambert_w0(np.array(math.e * share)) == pytest.approx(w, abs=1e-9)
        assert ONE.demand_if_funded(share * SLOPE)[0] == pytest.approx(200 + beyond, abs=1e-6)


def test_a_surge_is_entered_where_a_line_from_the_origin_touches_it():
    assert ONE.entry[0] == pytest.approx(323.60679775, abs=1e-6)
    assert ONE.choke_prices[0] == pytest.approx(0.308821286, abs=1e-6)
    assert ONE.value(ONE.entry)[0] / ONE.entry[0] == pytest.approx(ONE.choke_prices[0], abs=1e-12)
    golden = ShiftedSurge(np.array([7.0]), np.array(1.0), np.array(1 / 7))
    assert (golden.entry[0] - 7) / 7 == pytest.approx((math.sqrt(5) - 1) / 2, abs=1e-12)


def test_truncation_is_the_distribution_function_of_a_gamma_variable():
    curve = Truncation(np.array([200.0]), np.array(DECAY))
    for x, surge, share in TRUNCATION:
        assert curve.value([200 + x])[0] == pytest.approx(share, abs=1e-6)
        assert ONE.value([200 + x])[0] == pytest.approx(surge, abs=1e-6)
    spends = np.linspace(0, 3000, 301)
    expected = 0.3 * gamma.cdf(spends - 200, 2, scale=1 / DECAY)
    thirty = Truncation(np.array([200.0]), np.array(DECAY), np.array(0.3))
    np.testing.assert_allclose(thirty.value(spends[:, None])[:, 0], expected, atol=1e-12)


def test_truncations_slope_is_the_surge_curve():
    curve, spends = Truncation(np.array([200.0]), np.array(DECAY)), np.linspace(200, 2000, 50)[:, None]
    np.testing.assert_allclose(curve.marginal(spends), DECAY**2 / SLOPE * ONE.value(spends), atol=1e-12)


@given(CURVES, PRICES)
def test_demand_has_the_largest_surplus_within_the_limits(utility, price):
    """Against a fine grid from the floor to the cap."""
    shares = np.linspace(0, 1, 1001)[:, None]
    top = np.minimum(utility.cap, utility.most + 5)
    grid = utility.floor + shares * (np.maximum(top, utility.floor) - utility.floor)
    best = (utility.value(grid) - price * grid).max(axis=0)
    demand = utility.demand(price)
    surplus = utility.value(demand) - price * demand
    assert (demand >= utility.floor).all()
    assert (demand <= utility.cap).all()
    assert (surplus >= best - 1e-9 * (1 + abs(best))).all()


@given(CURVES, PRICES, PRICES)
def test_demand_never_rises_with_the_price(utility, one, other):
    low, high = sorted([one, other])
    assert (utility.demand(low) >= utility.demand(high)).all()
    assert (utility.demand_if_funded(low) >= utility.demand_if_funded(high) - 1e-9).all()


@given(CURVES)
def test_nobody_buys_at_the_choke_price_and_everybody_just_below_it(utility):
    for agent, choke in enumerate(utility.choke_prices):
        assert utility.demand(choke)[agent] == utility.floor[agent]
        if choke > 1e-9:
            below = utility.demand(choke * (1 - 1e-9))[agent]
            assert below > utility.floor[agent]
            assert below == pytest.approx(utility.entry[agent], rel=1e-3, abs=1e-3)
    assert utility.choke_price == utility.choke_prices.max()


@given(CURVES, PRICES)
def test_one_agent_alone_answers_as_it_does_among_others(utility, price):
    together = utility.demand(price)
    for agent in range(utility.n_agents):
        assert utility.demand_of(agent, price) == pytest.approx(together[agent], rel=1e-12, abs=1e-12)
        assert utility.take([agent]).demand(price)[0] == together[agent]


@given(CURVES, PRICES, st.floats(0.1, 50))
def test_a_unit_of_another_size_changes_nothing_but_the_numbers(utility, price, unit):
    rescaled = utility.rescaled(unit)
    np.testing.assert_allclose(
        rescaled.demand_if_funded(price * unit) * unit, utility.demand_if_funded(price), atol=1e-6
    )
    np.testing.assert_allclose(rescaled.choke_prices / unit, utility.choke_prices, rtol=1e-6, atol=1e-9)


@given(CURVES)
def test_steps_add_up_to_the_most_and_never_gain_more_per_unit(utility):
    steps = utility.steps(0.5)
    for agent in range(utility.n_agents):
        mine = steps.agent == agent
        rate = steps.gain[mine] / steps.cost[mine]
        assert (np.diff(rate) <= 1e-9 + 1e-6 * rate[:-1]).all()
        gained = utility.value(utility.most)[agent] - utility.value(utility.floor)[agent]
        assert steps.gain[mine].sum() == pytest.approx(max(gained, 0), abs=1e-9)


def test_a_measured_curve_is_worth_its_largest_level_within_the_spend():
    curve = MeasuredCurve(np.array([[2.0, 4, 8]]), np.array([[0.5, 0.2, 0.9]]))
    spends = np.array([[0.0], [1.9], [2], [3], [4], [7.9], [8], [100]])
    assert curve.value(spends)[:, 0].tolist() == [0, 0, 0.5, 0.5, 0.2, 0.2, 0.9, 0.9]


def test_a_level_that_was_measured_to_be_worse_is_never_bought():
    curve = MeasuredCurve(np.array([[1.0, 2, 3, 4]]), np.array([[0.2, 0.1, 0.9, 0.3]]))
    assert {float(curve.demand(price)[0]) for price in np.linspace(0, 1, 101)} == {0.0, 3.0}
    assert curve.choke_prices[0] == pytest.approx(0.3)


def test_curves_with_fewer_levels_repeat_the_last():
    curve = MeasuredCurve(np.array([[1.0, 2, 3], [5, 5, 5]]), np.array([[0.1, 0.5, 0.6], [1, 1, 1]]))
    assert curve.value([9, 9]).tolist() == [0.6, 1.0]
    assert curve.most.tolist() == [3, 5]


def test_a_measured_curves_slope_is_that_of_its_envelope():
    curve = MeasuredCurve(np.array([[2.0, 4, 8]]), np.array([[0.0, 2.0, 3.0]]))
    assert curve.marginal(np.array([[0.0], [4], [8]]))[:, 0] == pytest.approx([0.5, 0.25, 0])


@pytest.mark.parametrize("make", [lambda t, d: ShiftedSurge(t, np.array(1.0), d), Truncation])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0])
def test_a_parameter_that_is_no_amount_is_refused_with_its_place(make, bad):
    with pytest.raises(ValueError, match=r"threshold must be at least 0 and finite, got .* at 1"):
        make(np.array([1.0, bad]), np.array(1.0))
    with pytest.raises(ValueError, match="decay must be above 0"):
        make(np.array([1.0, 1.0]), np.array(bad))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threshold": np.empty(0)}, "at least one query"),
        ({"slope": np.array(0.0)}, "slope must be above 0"),
        ({"slope": np.ones(3)}, r"slope must be one number|threshold must be one number"),
        ({"floor": np.array(5.0), "cap": np.array(4.0)}, "above its cap"),
        ({"cap": np.array(math.nan)}, "cap must be at least 0"),
        ({"floor": np.array(math.inf)}, "floor must be at least 0 and finite"),
    ],
)
def test_curves_that_make_no_sense_are_refused(arguments, message):
    given_ = {"threshold": np.array([1.0, 2.0]), "slope": np.array(1.0), "decay": np.array(1.0), **arguments}
    with pytest.raises(ValueError, match=message):
        ShiftedSurge(**given_)


@pytest.mark.parametrize(
    ("levels", "values", "message"),
    [
        ([[2, 1]], [[0, 1]], "must rise along a row: agent 0 has 1.0 after 2.0"),
        ([[1, 2]], [[0, math.nan]], "values must be at least 0"),
        ([[1, 2]], [[0, 1, 2]], "must be"),
        (np.empty((0, 2)), np.empty((0, 2)), "at least one query"),
    ],
)
def test_measured_curves_that_make_no_sense_are_refused(levels, values, message):
    with pytest.raises(ValueError, match=message):
        MeasuredCurve(np.array(levels, dtype=float), np.array(values, dtype=float))


def test_a_ceiling_above_one_is_no_chance():
    with pytest.raises(ValueError, match="ceiling"):
        Truncation(np.array([1.0]), np.array(1.0), np.array(1.1))


def test_prices_at_which_demand_jumps_are_positive() -> None:
    worthless_end = MeasuredCurve(np.array([[0.0, 2, 3, 9], [0, 2, 3, 9]]), np.array([[0.0, 4, 5, 5], [0, 0, 0, 0]]))
    for prices in (worthless_end.jumps, worthless_end.jumps_if_funded):
        assert prices.size
        assert (prices > 0).all()
