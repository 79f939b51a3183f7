"""One price for all, then a use for what it leaves unspent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from compecon.allocation.bounded import Allocation
from compecon.allocation.clearing import Clearing, checked_budget, clear, repriced
from compecon.allocation.rules.rule import Rule
from compecon.allocation.utilities.arrays import Mask, Numbers
from compecon.allocation.utilities.utility import Utility


@final
@dataclass(frozen=True)
class RepairedShadowPrice(Rule):
    """The shadow price, and then a search among funded sets near it. Ours, not the paper's.

    1. Those tied at the clearing price are admitted as far as the budget goes, in their order, and the funded set gets
       a new price that spends the budget.
    2. The number of funded agents, in the order of their choke prices, is searched for the best.
    3. One agent after the other is tried: admitted if outside, left out if inside. What raises the value stays.

    It never does worse than `ShadowPrice`. Ties go to the earlier agent. The price is the new one. Where the funded
    have all they want at it, or buy in steps, it is at least the clearing price, or the highest that somebody who got
    nothing would pay if that is less: the price at which the marginal agent is rationed.

    Attributes:
        n_tries: Number of agents that step 3 tries on either side of the border, at least 0.
        tolerance: Share of the bound, at least 0, below which a gap is not worth a search.
        whole: Whether spends are whole numbers; see `Rule`.

    Examples:
        >>> from compecon.allocation import MeasuredCurve, ShadowPrice
        >>> alike = MeasuredCurve([[2]], [[1], [1], [1]])
        >>> for rule in (ShadowPrice(), RepairedShadowPrice()):  # at one price, equal queries all buy or none does
        ...     print(rule.allocate(alike, budget=5).spend.tolist())
        [0.0, 0.0, 0.0]
        [2.0, 2.0, 0.0]
    """

    n_tries: int = 16
    tolerance: float = 1e-6

    @override
    def allocate(self, utility: Utility, budget: float) -> Allocation:
        curves, budget = self._prepared(utility, budget)
        market = clear(curves, budget)
        found = repaired(curves, budget, market, n_tries=self.n_tries, tolerance=self.tolerance)
        repair = self._finished(curves, found.spend, budget, price=found.price, bound=market.upper_bound)
        plain = self._finished(curves, market.spend, budget, price=market.price, bound=market.upper_bound)
        return repair if repair.value >= plain.value else plain

    @override
    def at_many_budgets(self, utility: Utility) -> Rule:
        return replace(self, n_tries=0)  # step 3 is slow and brings nothing at 500 queries


class Solution(NamedTuple):
    """A price, spends of shape (agent,), their total value, and which agents are funded."""

    price: float
    spend: Numbers
    value: float
    funded: Mask


def repaired(
    curves: Utility, budget: float, market: Clearing, *, n_tries: int = 16, tolerance: float = 1e-6
) -> Solution:
    """The best solution that the search finds; at least as good as the market's."""
    budget = checked_budget(curves, budget)
    value = float(curves.value(market.spend).sum())
    plain = Solution(market.price, market.spend, value, np.asarray(market.spend > curves.floor))
    if market.price == 0.0:
        return plain
    search = _Search(
        curves,
        budget,
        market.price,
        market.upper_bound * (1.0 - tolerance),
        np.argsort(-curves.choke_prices, kind="stable"),
    )
    best = search.better(plain, _admitted(curves, budget, market, search.order))
    best = search.best_number(best)
    return search.one_by_one(best, n_tries)


def _admitted(curves: Utility, budget: float, market: Clearing, order: NDArray[np.intp]) -> Mask:
    """The funded agents, and of the others the first whose entry still fits, in the order of their choke prices."""
    funded = np.asarray(market.spend > curves.floor)
    waiting = order[~funded[order]]
    waiting = waiting[curves.choke_prices[waiting] > 0]
    cost = np.cumsum((curves.entry - curves.floor)[waiting])
    funded[waiting[cost <= budget - float(market.spend.sum())]] = True
    return funded


@final
@dataclass(frozen=True, eq=False)
class _Search:
    curves: Utility
    budget: float
    clearing: float  # price at which all demand fits
    enough: float  # a value near enough to the bound
    order: NDArray[np.intp]  # agents by falling choke price

    def better(self, best: Solution, funded: Mask) -> Solution:
        """The better one of a solution and of what a set allows."""
        found = repriced(self.curves, self.budget, funded)
        if found is None:
            return best
        price, spend = found
        spend = self.curves.filled(spend, self.budget - float(spend.sum()))
        value = float(self.curves.value(spend).sum())
        return Solution(self._charged(price, funded), spend, value, funded) if value > best.value else best

    def _charged(self, price: float, funded: Mask) -> float:
        if price > 0 and not len(self.curves.jumps_if_funded):
            return price  # what the funded pay for the last unit
        refused = self.curves.choke_prices[~funded]
        return max(price, min(self.clearing, float(refused.max(initial=0.0))))

    def best_number(self, best: Solution) -> Solution:
        """Doubling steps up and down in the number of funded agents, then halving ones."""
        count = int(best.funded.sum())
        most = int((self.curves.choke_prices > 0).sum())
        step = 1
        while step >= 1 and best.value < self.enough:
            before = best.value
            for trial in (count + step, count - step):
                if 0 < trial <= most:
                    best = self.better(best, self._first(trial))
            moved = best.value > before
            count = int(best.funded.sum()) if moved else count
            if moved:
                step *= 2
            elif step == 1:
                break
            else:
                step //= 2
        return best

    def one_by_one(self, best: Solution, n_tries: int) -> Solution:
        """Admit or leave out single agents near the border."""
        ranked = best.funded[self.order]
        outside = self.order[~ranked & (self.curves.choke_prices[self.order] > 0)][:n_tries]
        inside = self.order[ranked][::-1][:n_tries]
        for agent in (*outside, *inside):
            if best.value >= self.enough:
                break
            funded = best.funded.copy()
            funded[agent] = not funded[agent]
            best = self.better(best, funded)
        return best

    def _first(self, count: int) -> Mask:
        funded = np.zeros(self.curves.n_agents, dtype=np.bool_)
        funded[self.order[:count]] = True
        return funded
