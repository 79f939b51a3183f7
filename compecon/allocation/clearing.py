"""The price at which demand fits a budget, and the bound that this price proves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from compecon.allocation.price_search import lowest_price
from compecon.allocation.utilities.arrays import Mask, Numbers
from compecon.allocation.utilities.utility import Utility

_MANY = 20_000  # agents, from which on a sample of them gives a first guess
_SAMPLE = 4_096
_ROUNDING = 1e-9  # relative; sums of floats are not exact
_ABOVE = 1 + _ROUNDING  # above rounding errors of a price


@final
@dataclass(frozen=True, eq=False)
class Clearing:
    """A market at its clearing price.

    Attributes:
        price: Lowest price at which demand is within the budget; 0 if all agents can have the most they want.
        spend: Demand there, shape (agent,). What is left of the budget lies in a jump of demand.
        upper_bound: The Lagrangian dual: price × budget plus all best surpluses. No allocation can be worth more.

    Examples:
        >>> Clearing(price=0.5, spend=np.array([2.0, 0.0]), upper_bound=2.5).price
        0.5
    """

    price: float
    spend: Numbers
    upper_bound: float


def checked_budget(utility: Utility, budget: float) -> float:
    """A budget that pays for the floors.

    Raises:
        ValueError: If it is NaN, negative or infinite, or the floors alone take more.
    """
    if not (math.isfinite(budget) and budget >= 0):
        raise ValueError(f"the budget must be finite and at least 0, got {budget}.")
    floors = float(utility.floor.sum())
    if floors > budget * (1 + _ROUNDING):
        raise ValueError(f"the floors alone take {floors:g} of a budget of {budget:g}. Lower the floors.")
    return float(budget)


def clear(utility: Utility, budget: float) -> Clearing:
    """Find the clearing price.

    Args:
        utility: A curve for each agent, with its limits.
        budget: Total, in the curves' unit of spend, at least 0.

    Returns:
        The price, the demand at it, and the bound that it proves.

    Raises:
        ValueError: If the budget is NaN, negative, infinite or below the floors.

    Examples:
        >>> from compecon.allocation import ShiftedSurge
        >>> market = clear(ShiftedSurge(threshold=[50, 100, 900], slope=1.5, decay=0.01), budget=320)
        >>> round(market.price, 3), market.spend.round(1).tolist()
        (0.096, [135.0, 185.0, 0.0])
    """
    budget = checked_budget(utility, budget)
    price = _clearing_price(utility, budget)
    spend = utility.demand(price)
    surplus = utility.value(spend) - price * spend
    return Clearing(price, spend, float(price * budget + surplus.sum()))


def repriced(utility: Utility, budget: float, funded: Mask) -> tuple[float, Numbers] | None:
    """The best use of a budget if these agents are funded and the others are not.

    Exact where funded agents' curves are concave; for step curves the best that a price can do.

    Returns:
        The price and the spends, shape (agent,); None if the budget cannot pay for the least that these agents need.
    """
    spend = np.array(utility.floor)
    room = budget - float(spend[~funded].sum())
    if not funded.any():
        return None
    chosen = utility.take(funded)
    if float(chosen.start.sum()) > room:
        return None
    price = 0.0
    if float(chosen.most.sum()) > room:
        jumps = np.sort(chosen.jumps_if_funded)
        high = float(jumps[-1] if len(jumps) else chosen.marginal(chosen.start).max()) * _ABOVE
        price = lowest_price(lambda p: float(chosen.demand_if_funded(p).sum()), room, high, jumps)
    spend[funded] = chosen.demand_if_funded(price)
    return price, spend


def _clearing_price(utility: Utility, budget: float) -> float:
    if float(utility.demand(0.0).sum()) <= budget:
        return 0.0
    guess = None
    if utility.n_agents > _MANY:
        stride = utility.n_agents // _SAMPLE
        sample = utility.take(slice(None, None, stride))
        share = max(budget * sample.n_agents / utility.n_agents, float(sample.floor.sum()))
        guess = _clearing_price(sample, share)
    return lowest_price(
        lambda price: float(utility.demand(price).sum()), budget, utility.choke_price, np.sort(utility.jumps), guess
    )
