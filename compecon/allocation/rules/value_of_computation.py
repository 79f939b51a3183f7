"""Each agent by itself: go on as long as the next stretch is expected to be worth its price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from typing_extensions import override

from compecon.allocation.bounded import Allocation
from compecon.allocation.clearing import clear
from compecon.allocation.rules.rule import Rule
from compecon.allocation.utilities.arrays import Mask, Numbers, numbers
from compecon.allocation.utilities.utility import Utility

_N_STRETCHES = 10_000


@final
@dataclass(frozen=True)
class ValueOfComputation(Rule):
    """Stop when the expected gain of the next stretch is below its price: the myopic rule of metareasoning.

    No agent looks further than one stretch, so one whose threshold lies beyond the first never begins. Agents are
    served in their order; one that no longer fits gets its floor. After Russell and Wefald (1991), "Principles of
    metareasoning".

    Attributes:
        price: Value per unit of budget that a stretch must gain, at least 0; the curves' clearing price if None.
        stretch: How far an agent looks, in units of the budget, above 0; the mean budget if None.
        whole: Whether spends are whole numbers; see `Rule`.

    Raises:
        ValueError: If the price is negative, the stretch is not above 0, or one of them is not finite.

    Examples:
        >>> from compecon.allocation import MeasuredCurve
        >>> curves = MeasuredCurve([[1, 2, 4]], [[0, 1, 1], [0, 0, 1]])
        >>> ValueOfComputation(stretch=2).allocate(curves, budget=6).spend.tolist()  # 4 is out of sight
        [2.0, 0.0]
    """

    price: float | None = None
    stretch: float | None = None

    def __post_init__(self) -> None:
        numbers(self.price or 0.0, "price")
        numbers(1.0 if self.stretch is None else self.stretch, "stretch", positive=True)

    @override
    def allocate(self, utility: Utility, budget: float) -> Allocation:
        curves, budget = self._prepared(utility, budget)
        market = clear(curves, budget)
        price = market.price if self.price is None else self.price
        stretch = budget / curves.n_agents if self.stretch is None else self.stretch
        stretch = max(1.0, np.floor(stretch)) if self.whole else stretch
        wanted = _thought(curves, price, stretch) if stretch > 0 else np.array(curves.floor)
        spend = np.where(_served(wanted - curves.floor, budget - float(curves.floor.sum())), wanted, curves.floor)
        return self._finished(curves, spend, budget, price=price, bound=market.upper_bound)


def _thought(curves: Utility, price: float, stretch: float) -> Numbers:
    spend, going = np.array(curves.floor), np.ones(curves.n_agents, dtype=np.bool_)
    for _ in range(_N_STRETCHES):
        ahead = np.minimum(spend + stretch, curves.cap)
        gain, cost = curves.value(ahead) - curves.value(spend), ahead - spend
        going &= (gain > 0) & (gain >= price * cost)
        if not going.any():
            break
        spend = np.where(going, ahead, spend)
    return spend


def _served(cost: Numbers, room: float) -> Mask:
    """Which agents a queue reaches: each in turn if what it wants still fits."""
    served = np.cumsum(cost) <= room
    room -= float(cost[served].sum())
    for agent in np.flatnonzero(~served & (cost <= room)):
        if cost[agent] <= room:
            served[agent] = True
            room -= float(cost[agent])
    return served
