"""One price for all: CLEAR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from typing_extensions import override

from compecon.allocation.bounded import Allocation
from compecon.allocation.clearing import clear
from compecon.allocation.rules.rule import Rule
from compecon.allocation.utilities.utility import Utility


@final
@dataclass(frozen=True)
class ShadowPrice(Rule):
    """Find the lowest price at which demand is within the budget, and let everyone buy at it.

    The paper's rule: the marginal value of a funded agent is the price; an agent that would have no surplus, the tokens
    below its threshold being charged too, is abandoned. The paper finds the price by bisection; the search here is ours
    and ends at the same price. Demand jumps where an agent gives up, so part of the budget may stay unspent, and agents
    with one choke price are left out together: four equal queries may all get nothing. See `RepairedShadowPrice`, and
    compare the value with the bound.

    Attributes:
        whole: Whether spends are whole numbers; see `Rule`.

    References:
        Wan et al. (2026), "The Shadow Price of Reasoning", arXiv 2606.03092.

    Examples:
        >>> from compecon.allocation import MeasuredCurve
        >>> curves = MeasuredCurve([[1, 2, 4]], [[0, 1, 1], [0, 0, 1]])
        >>> found = ShadowPrice().allocate(curves, budget=5)
        >>> found.spend.tolist(), found.price, found.value, found.upper_bound
        ([2.0, 0.0], 0.25, 1.0, 1.0)
    """

    @override
    def allocate(self, utility: Utility, budget: float) -> Allocation:
        curves, budget = self._prepared(utility, budget)
        market = clear(curves, budget)
        return self._finished(curves, market.spend, budget, price=market.price, bound=market.upper_bound)
