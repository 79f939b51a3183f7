"""One arrival at a time: never overspent, and close to what knowing all of them in advance would have earned."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from compecon.allocation.clearing import clear
from compecon.allocation.forecast import Forecast
from compecon.allocation.online import OnlineMarket, play
from compecon.allocation.rules.repaired import RepairedShadowPrice
from compecon.allocation.streams.synthetic import MIXTURES
from compecon.allocation.utilities.step_curves import MeasuredCurve
from tests.allocation.instances import any_market

AMOUNTS = st.floats(0, 100)
SHARES = (0.05, 0.2, 0.5, 0.9, 1.0)


@given(any_market(), any_market(), st.integers(0, 60), st.floats(0, 1), st.data())
def test_online_never_overspends_whatever_is_forecast(utility, past, budget, share, data):
    n = utility.n_agents
    assume(budget >= utility.floor.sum())
    realised = np.array(data.draw(st.lists(AMOUNTS, min_size=n, max_size=n)))
    expected = data.draw(st.integers(1, 2 * n))
    market = OnlineMarket(past, budget, expected, service=share * budget / expected * (1 - 1e-9))
    found = play(utility, market, realised=realised)
    assert math.fsum(found.used) <= budget * (1 + 1e-12)
    assert (found.used <= found.cap).all()
    assert (found.used <= realised).all()
    assert (found.prices >= 0).all()
    assert market.left == pytest.approx(budget - math.fsum(found.used), abs=1e-9)


@given(any_market(), any_market(), st.integers(1, 60), st.floats(0, 1))
def test_everybody_gets_the_minimum_service(utility, past, budget, share):
    assume(budget >= utility.floor.sum())
    service = share * budget / utility.n_agents * (1 - 1e-9)
    found = play(utility, OnlineMarket(past, budget, utility.n_agents, service=service))
    assert (found.cap >= service * (1 - 1e-9) - 1e-9 * budget).all(), "but for rounding"


@given(any_market(), any_market(), st.integers(1, 60))
def test_the_last_one_is_not_refused_what_is_left(utility, past, budget):
    assume(budget >= utility.floor.sum())
    market = OnlineMarket(past, budget, utility.n_agents)
    for agent in range(utility.n_agents - 1):
        market.serve(utility, agent)
    last, left = utility.take([utility.n_agents - 1]), market.left
    limited = last.within(np.minimum(last.floor, left), np.minimum(last.cap, left))
    best = float(limited.value(limited.demand(0.0))[0])
    cap = market.serve(last, 0)
    assert market.price == 0
    assert float(last.value([cap])[0]) >= best * (1 - 1e-9)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((math.nan, 1, 0), "budget must be finite"),
        ((-1, 1, 0), "budget must be finite and at least 0"),
        ((1, 0, 0), "at least one arrival"),
        ((1, 3, 0.5), "needs more than the budget of 1"),
        ((1, 3, math.inf), "service must be finite"),
    ],
)
def test_a_market_of_no_amounts_is_refused(numbers, message):
    budget, arrivals, service = numbers
    with pytest.raises(ValueError, match=message):
        OnlineMarket(MeasuredCurve([[1.0]], [[1.0]]), budget, arrivals, service=service)


def two_models(n, seed):
    """Queries that a cheap model answers at times, and a strong one more often."""
    rng = np.random.default_rng(seed)
    cost = np.stack([rng.lognormal(5, 0.4, n), rng.lognormal(7, 0.4, n)], axis=1)
    right = (rng.random((n, 2)) < [0.6, 0.85]).astype(float)
    order = np.argsort(cost, axis=1)
    return MeasuredCurve(np.take_along_axis(cost, order, axis=1), np.take_along_axis(right, order, axis=1))


def three_efforts(n, seed):
    """Queries whose levels all cost the same three amounts."""
    right = np.sort((np.random.default_rng(seed).random((n, 3)) < [0.4, 0.6, 0.8]).astype(float), axis=1)
    return MeasuredCurve(np.array([[1.0, 5.0, 20.0]]), right)


def orders_of(utility, seed=0):
    rng, n = np.random.default_rng(seed), utility.n_agents
    cheap_first = np.argsort(np.where(utility.choke_prices > 0, utility.entry, np.inf), kind="stable")
    blocks = np.array_split(cheap_first, 20)
    return {
        "random": rng.permutation(n),
        "cheap first": cheap_first,
        "cheap last": cheap_first[::-1],
        "bursts": np.concatenate([blocks[block] for block in rng.permutation(20)]),
    }


@pytest.mark.parametrize("order", ["random", "cheap first", "cheap last", "bursts"])
@pytest.mark.parametrize("made", [two_models, three_efforts])
def test_it_earns_nearly_what_hindsight_earns_in_any_order_at_any_budget(made, order):
    utility, past = made(4000, 1), made(4000, 2)
    arrivals, goal = orders_of(utility)[order], 0.99 if order == "random" else 0.95
    missed = {}
    for share in SHARES:
        budget = share * float(utility.most.sum())
        found = play(utility, OnlineMarket(past, budget, 4000), order=arrivals)
        earned = found.value / RepairedShadowPrice().allocate(utility, budget).value
        if earned < goal:
            missed[share] = earned
    assert missed == {}


@pytest.mark.parametrize("order", ["random", "cheap first", "cheap last", "bursts"])
@pytest.mark.parametrize("made", [two_models, three_efforts])
def test_with_a_budget_for_all_next_to_nothing_is_withheld(made, order):
    utility = made(300, 1)
    budget = float(utility.most.sum())
    found = play(utility, OnlineMarket(made(300, 2), budget, 300), order=orders_of(utility)[order])
    assert found.value >= 0.98 * utility.value(utility.most).sum()


@pytest.mark.parametrize("name", MIXTURES)
def test_regret_against_the_offline_optimum_fades_with_the_length_of_the_stream(name):
    shares = []
    for n in (200, 3000):
        utility = MIXTURES[name].draw(n, seed=3).surge()
        found = play(utility, OnlineMarket(utility.take(slice(None, None, 10)), 150.0 * n, n))
        assert found.offline_bound == clear(utility, 150.0 * n).upper_bound
        shares.append(found.regret / found.offline_bound)
    assert shares[1] < 0.02
    assert shares[1] < shares[0]


def test_what_is_not_used_goes_to_later_queries():
    curves = MIXTURES["Balanced"].draw(400, seed=2)
    utility, past, budget = curves.surge(), MIXTURES["Balanced"].draw(400, seed=3).surge(), 60_000.0
    whole = play(utility, OnlineMarket(past, budget, 400))
    recycled = play(utility, OnlineMarket(past, budget, 400), realised=whole.cap * 0.7)
    assert recycled.used.sum() <= budget
    assert (recycled.cap > 0).sum() > (whole.cap > 0).sum()
    assert recycled.value > whole.value


def test_arrivals_come_in_the_order_that_is_asked_for():
    utility = MIXTURES["Balanced"].draw(50).surge()
    order = np.arange(50)[::-1]
    found = play(utility, OnlineMarket(utility, 5000, 50), order=order)
    turned = play(utility.take(order), OnlineMarket(utility, 5000, 50))
    np.testing.assert_allclose(found.cap[order], turned.cap)
    assert (found.prices == turned.prices).all()


@given(any_market(), st.integers(0, 200), st.integers(1, 30))
def test_the_first_price_is_the_one_that_clears_the_past(past, left, arrivals):
    """Curves of steps: demand above the price fits what is left, and with that at the price it does not."""
    assume(isinstance(past, MeasuredCurve))
    price, sure, better = Forecast(past, arrivals).margin(left, arrivals)
    scale, floors = arrivals / past.n_agents, past.floor.sum()
    room = max(left - floors * scale, 0.0)

    def demand(at):
        return (past.demand(at).sum() - floors) * scale

    if price == 0:
        assert demand(0.0) <= room * (1 + 1e-6) + 1e-9
    else:
        assert demand(price * (1 - 1e-9)) >= room * (1 - 1e-6)
        assert demand(price * (1 + 1e-9)) == pytest.approx(better, rel=1e-6, abs=1e-6)
        assert better <= room * (1 + 1e-6)
        assert sure == math.inf or demand(sure * (1 - 1e-9)) == pytest.approx(better, rel=1e-6)
