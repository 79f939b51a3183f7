import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from compecon.allocation.clearing import clear
from compecon.allocation.online import OnlinePrice, opening, play
from compecon.allocation.streams.synthetic import MIXTURES
from tests.allocation.instances import any_market

AMOUNTS = st.floats(0, 100)


@given(any_market(), st.integers(0, 60), AMOUNTS, AMOUNTS, st.floats(0, 1), st.data())
def test_online_never_overspends_whatever_the_price_does(utility, budget, price, step, service, data):
    assume(budget >= utility.floor.sum())
    n = utility.n_agents
    realised = np.array(data.draw(st.lists(AMOUNTS, min_size=n, max_size=n)))
    service = min(service, budget / n)
    market = OnlinePrice(price, budget, data.draw(st.integers(1, n)), step, service if n == 1 else 0.0)
    found = play(utility, market, realised=realised)
    assert math.fsum(found.used) <= budget * (1 + 1e-12)
    assert (found.used <= found.cap).all()
    assert (found.used <= realised).all()
    assert (found.prices >= 0).all()


@given(any_market(), st.integers(1, 60), st.floats(0, 1))
def test_everybody_gets_the_minimum_service(utility, budget, share):
    assume(budget >= utility.floor.sum())
    service = share * budget / utility.n_agents * (1 - 1e-9)
    found = play(utility, OnlinePrice(5.0, budget, utility.n_agents, 0.1, service))
    assert (found.cap >= service * (1 - 1e-9)).all()


def test_a_query_that_uses_more_than_is_left_is_an_error():
    with pytest.raises(ValueError, match=r"used 3, and only 2 were left"):
        OnlinePrice(0.0, 2.0, 1, 0.1).after(3.0)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((math.nan, 1, 1, 1), "price must be finite"),
        ((1, -1, 1, 1), "left must be finite and at least 0"),
        ((1, 1, 1, math.inf), "step must be finite"),
        ((1, 1, 3, 1, 0.5), "needs more than the 1 left"),
    ],
)
def test_a_market_of_no_amounts_is_refused(numbers, message):
    with pytest.raises(ValueError, match=message):
        OnlinePrice(*numbers)


def test_the_price_rises_after_a_large_purchase_and_falls_after_none():
    market = OnlinePrice(1.0, 100.0, 10, 0.01)
    assert market.after(30.0).price == pytest.approx(1.2)
    assert market.after(0.0).price == pytest.approx(0.9)
    assert OnlinePrice(0.05, 100.0, 10, 0.01).after(0.0).price == 0


def test_what_is_not_used_goes_to_later_queries():
    curves = MIXTURES["Balanced"].draw(400, seed=2)
    utility, budget = curves.surge(), 60_000.0
    whole = play(utility, opening(utility, budget, 400))
    recycled = play(utility, opening(utility, budget, 400), realised=whole.cap * 0.7)
    assert recycled.used.sum() <= budget
    assert (recycled.cap > 0).sum() > (whole.cap > 0).sum()
    assert recycled.value > whole.value


@pytest.mark.parametrize("name", MIXTURES)
def test_regret_against_the_offline_optimum_fades_with_the_length_of_the_stream(name):
    shares = []
    for n in (200, 5000):
        utility = MIXTURES[name].draw(n, seed=3).surge()
        found = play(utility, opening(utility.take(slice(None, None, 10)), 150.0 * n, n))
        assert found.offline_bound == clear(utility, 150.0 * n).upper_bound
        shares.append(found.regret / found.offline_bound)
    assert shares[1] < 0.1
    assert shares[1] < shares[0]


def test_arrivals_come_in_the_order_that_is_asked_for():
    utility = MIXTURES["Balanced"].draw(50).surge()
    order = np.arange(50)[::-1]
    found = play(utility, opening(utility, 5000, 50), order=order)
    turned = play(utility.take(order), opening(utility, 5000, 50))
    np.testing.assert_allclose(found.cap[order], turned.cap)
    assert (found.prices == turned.prices).all()
