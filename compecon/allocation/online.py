"""The same price, one arrival at a time. Ours: the paper's streams are known as a whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from compecon.allocation.clearing import clear
from compecon.allocation.forecast import Forecast, Margin
from compecon.allocation.utilities.arrays import Numbers, numbers
from compecon.allocation.utilities.utility import Utility

_MOST = 1e300  # of a price
_SAME = 1e-9  # relative: a choke price that is the price
_PRIOR = 10.0  # mean budgets that count as used in full, before it is known how much of a cap is used


@final
class OnlineMarket:
    """A budget that is shared among queries as they arrive, at a price that is solved anew for each.

    The price is the one at which the demand still expected meets what is left. It is expected from curves of earlier
    queries and from what has arrived (`Forecast`); tokens that a query did not use are passed on to later ones. At the
    margin, where equal queries would all buy or none, the share of them is served that the budget covers. The budget is
    hard, and so is the minimum service of queries still to come: no query gets what they need. The last one expected
    may use all that is left.

    Args:
        past: Curves of earlier queries that are like those expected.
        budget: Finite and at least 0.
        arrivals: Number of queries expected, at least 1; what is left is all theirs, so queries beyond that number may
            get nothing.
        service: What every query may use at least, whatever the price; at least 0.

    Attributes:
        left: Budget that is left.
        arrivals: How many are still expected.

    Raises:
        ValueError: If a number is out of its range, or the budget does not pay for the service.

    References:
        Jasin and Kumar (2012), "A re-solving heuristic with bounded revenue loss for network revenue management with
        customer choice", Mathematics of Operations Research 37(2), for solving anew.

    Examples:
        >>> from compecon.allocation import MeasuredCurve
        >>> day = MeasuredCurve([[10.0, 30.0]] * 4, [[0, 1], [1, 1], [0, 1], [1, 1]])
        >>> market = OnlineMarket(past=day, budget=50.0, arrivals=4)
        >>> [market.serve(day, query) for query in range(4)]
        [0.0, 10.0, 30.0, 10.0]
        >>> market.left
        0.0
    """

    def __init__(self, past: Utility, budget: float, arrivals: int, *, service: float = 0.0) -> None:
        """Before the first arrival."""
        for name, value in (("budget", budget), ("service", service)):
            if not 0.0 <= value < math.inf:
                raise ValueError(f"{name} must be finite and at least 0, got {value}.")
        if arrivals < 1:
            raise ValueError(f"at least one arrival must be expected, got {arrivals}.")
        if service * arrivals > budget * (1 + _SAME):
            raise ValueError(
                f"a service of {service:g} for {arrivals} arrivals needs more than the budget of {budget:g}."
            )
        floor = np.minimum(np.maximum(past.floor, service), past.cap)
        self._forecast = Forecast(past.within(floor=floor), arrivals)
        self.left, self.arrivals, self.service = float(budget), arrivals, float(service)
        self._allowed = _PRIOR * budget / arrivals
        self._used = self._allowed
        self._solve()

    def serve(self, utility: Utility, agent: int, uses: float = math.inf) -> float:
        """Let a query arrive, and say what it may use.

        Args:
            utility: Curves, as they are seen on arrival.
            agent: Whose it is.
            uses: What it would use without a limit, which goes back into the budget where it is below its cap.
        """
        room = max(self.left - self.service * max(self.arrivals - 1, 0), 0.0)
        self._forecast.arrive((float(utility.choke_prices[agent]), float(utility.entry[agent])))
        self.arrivals -= 1
        self._solve()
        wanted = self._wish(utility, agent, room)
        if wanted > room:
            curve = utility.take([agent])
            within = curve.within(np.minimum(curve.floor, room), np.minimum(curve.cap, room))
            wanted = float(within.demand(self.price)[0])
        cap = min(max(wanted, self.service), room)
        used = min(cap, uses)
        self._allowed, self._used = self._allowed + cap, self._used + used
        self.left = max(self.left - used, 0.0)
        return cap

    def _wish(self, utility: Utility, agent: int, room: float) -> float:
        """What a query wants at a price; what it could as well leave only if that is surely not needed by better ones.

        Their demand is a sum of purchases at random, whose standard deviation is the root of the mean times the size.
        """
        if self.price <= 0:
            return utility.demand_of(agent, 0.0)
        at = min(self._margin.sure * (1 - _SAME), _MOST)
        wanted = utility.demand_of(agent, max(at, self.price))
        extra = utility.demand_of(agent, self.price * (1 - _SAME)) - wanted
        better = self._margin.better
        return wanted + extra if better + extra + math.sqrt(max(better * extra, 0.0)) <= room else wanted

    def _solve(self) -> None:
        """Where what is left covers the demand of those still to come."""
        self._margin = Margin(0.0, 0.0, 0.0)
        if self.arrivals > 0:
            usage = self._used / self._allowed if self._allowed > 0 else 1.0
            self._margin = self._forecast.margin(self.left, self.arrivals, max(usage, _SAME))

    @property
    def price(self) -> float:
        """What the last arrival met, value per unit of budget: the highest at which somebody is refused."""
        return self._margin.price


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
    market: OnlineMarket,
    *,
    order: Sequence[int] | NDArray[np.intp] | None = None,
    realised: Numbers | None = None,
) -> Playback:
    """Let queries arrive one after the other.

    Floors of the curves are only wishes here: what later queries need is kept back only as the market's service.

    Args:
        utility: Their curves, as they are seen on arrival.
        market: The market when the first one arrives; it is used up.
        order: Agents in the order of their arrival; as numbered if None.
        realised: What each would use without a cap, shape (agent,), which goes back into the budget where it is below
            the cap; whole caps are used if None.
    """
    arrivals = np.arange(utility.n_agents) if order is None else np.asarray(order, dtype=np.intp)
    wishes = numbers(np.full(utility.n_agents, np.inf) if realised is None else realised, "realised", infinite=True)
    cap, prices, budget = np.zeros(utility.n_agents), np.zeros(len(arrivals)), market.left
    for place, agent in enumerate(arrivals.tolist()):
        cap[agent] = market.serve(utility, agent, float(wishes[agent]))
        prices[place] = market.price
    value = float(utility.value(cap).sum())
    return Playback(arrivals, cap, np.minimum(cap, wishes), prices, value, clear(utility, budget).upper_bound)
