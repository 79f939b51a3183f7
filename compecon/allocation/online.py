"""The same price, one arrival at a time. Ours: the paper's streams are known as a whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from compecon.allocation.clearing import clear
from compecon.allocation.utilities.arrays import Numbers, numbers
from compecon.allocation.utilities.utility import Utility


@final
@dataclass(frozen=True, slots=True)
class OnlinePrice:
    """A price that follows what is spent: it rises after a purchase above the sustainable rate, and falls after less.

    Dual descent: after each arrival the price moves by ``step`` times what was used minus the rate. The rate is what is
    left, divided by the arrivals left, so that tokens that a query did not use are passed on to the later ones. The
    budget is hard, and so is the minimum service of queries still to come: no query gets what they need.

    Attributes:
        price: Value per unit of budget, finite and at least 0.
        left: Budget that is left, finite and at least 0.
        arrivals: Number of queries still expected, this one included; what is left is all theirs, so queries beyond
            that number may get nothing.
        step: Price per unit of excess, finite and at least 0.
        service: What every query may use at least, whatever the price; at least 0.

    Raises:
        ValueError: If a number is negative or not finite, or what is left does not pay for the service.

    References:
        Balseiro, Lu and Mirrokni (2023), "The best of many worlds: dual mirror descent for online allocation problems",
        Operations Research 71(1).

    Examples:
        >>> market = OnlinePrice(price=0.5, left=100.0, arrivals=10, step=0.01)
        >>> market.cap(wanted=30.0)
        30.0
        >>> market.after(used=30.0)
        OnlinePrice(price=0.7, left=70.0, arrivals=9, step=0.01, service=0.0)
    """

    price: float
    left: float
    arrivals: int
    step: float
    service: float = 0.0

    def __post_init__(self) -> None:
        for name in ("price", "left", "step", "service"):
            value = getattr(self, name)
            if not 0.0 <= value < math.inf:
                raise ValueError(f"{name} must be finite and at least 0, got {value}.")
        if self.service * self.arrivals > self.left * (1 + 1e-9):
            raise ValueError(
                f"a service of {self.service:g} for {self.arrivals} arrivals needs more than the {self.left:g} left."
            )

    def cap(self, wanted: float) -> float:
        """What a query may use: what it wants at the price, at least the service, at most what is available."""
        kept_back = self.service * max(self.arrivals - 1, 0)
        return min(max(wanted, self.service), max(self.left - kept_back, 0.0))

    def after(self, used: float) -> OnlinePrice:
        """The market after a query that used ``used`` of what it was allowed.

        Raises:
            ValueError: If that is more than is left.
        """
        left = self.left - used
        if left < 0.0:
            raise ValueError(f"a query used {used:g}, and only {self.left:g} were left.")
        rate = self.left / self.arrivals if self.arrivals > 0 else 0.0
        price = self.price + self.step * (used - rate)
        return _unchecked(price if price > 0.0 else 0.0, left, self.arrivals - 1, self.step, self.service)


def opening(utility: Utility, budget: float, n_arrivals: int, *, service: float = 0.0) -> OnlinePrice:
    """A first price and a step, from curves of earlier queries that are like those expected."""
    price = clear(utility, max(budget * utility.n_agents / n_arrivals, float(utility.floor.sum()))).price
    scale = price if price > 0 else utility.choke_price
    return OnlinePrice(price, budget, n_arrivals, _step(scale, budget, n_arrivals), service)


@final
@dataclass(frozen=True, eq=False)
class Playback:
    """A stream that went through an online market."""

    order: NDArray[np.intp]  # agents in the order of their arrival, shape (arrival,)
    cap: Numbers  # what each agent was allowed, shape (agent,)
    used: Numbers  # what it used, shape (agent,)
    prices: Numbers  # the price that each arrival met, shape (arrival,)
    value: float  # total value of the caps
    offline_bound: float  # bound on the value of any allocation, even with all arrivals known

    @property
    def regret(self) -> float:
        """What knowing all arrivals could have added at most, at least 0.

        It is counted against the bound for caps: with tokens handed back a market can even exceed that.
        """
        return max(0.0, self.offline_bound - self.value)


def play(
    utility: Utility,
    market: OnlinePrice,
    *,
    order: Sequence[int] | NDArray[np.intp] | None = None,
    realised: Numbers | None = None,
) -> Playback:
    """Let queries arrive one after the other.

    Floors of the curves are only wishes here: what later queries need is kept back only as the market's service.

    Args:
        utility: Their curves, as they are seen on arrival.
        market: The market when the first one arrives.
        order: Agents in the order of their arrival; as numbered if None.
        realised: What each would use without a cap, shape (agent,), which goes back into the budget where it is below
            the cap; whole caps are used if None.
    """
    arrivals = np.arange(utility.n_agents) if order is None else np.asarray(order, dtype=np.intp)
    wishes = numbers(np.full(utility.n_agents, np.inf) if realised is None else realised, "realised", infinite=True)
    cap, used, prices = np.zeros(utility.n_agents), np.zeros(utility.n_agents), np.zeros(len(arrivals))
    budget = market.left
    for place, agent in enumerate(arrivals.tolist()):
        prices[place] = market.price
        cap[agent] = market.cap(utility.demand_of(agent, market.price))
        used[agent] = min(cap[agent], float(wishes[agent]))
        market = market.after(float(used[agent]))
    value = float(utility.value(cap).sum())
    return Playback(arrivals, cap, used, prices, value, clear(utility, budget).upper_bound)


def _step(price: float, budget: float, n_arrivals: int) -> float:
    """Large enough to reach another price within about the square root of the arrivals, and to stay near it then."""
    rate = budget / max(n_arrivals, 1)
    return price / (rate * math.sqrt(max(n_arrivals, 1))) if rate > 0 else 0.0


def _unchecked(price: float, left: float, arrivals: int, step: float, service: float) -> OnlinePrice:
    """A market without the checks of a first one: arrivals are many, and these numbers are ours."""
    market = object.__new__(OnlinePrice)
    put = object.__setattr__
    put(market, "price", price)
    put(market, "left", left)
    put(market, "arrivals", arrivals)
    put(market, "step", step)
    put(market, "service", service)
    return market
