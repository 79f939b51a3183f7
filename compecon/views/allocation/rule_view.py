"""One rule at every budget of the bar: price, spends, who is abandoned and why, value, bound and gap."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np

from compecon.allocation.bounded import Allocation
from compecon.allocation.clearing import Clearing, clear
from compecon.allocation.rules.rule import Rule
from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.utility import Utility
from compecon.stats.intervals import wilson
from compecon.views.allocation.choice_names import REASONS
from compecon.views.allocation.market_data import Market
from compecon.views.allocation.rule_choices import rule_for, stops

_FUNDED, _FUNDED_UNPRICED, _TOO_DEAR, _LEFT_OUT, _HOPELESS, _UNPRICED, _WASTED, _KEPT, _ODD, _PASSED = range(
    len(REASONS)
)
_SAME = 1e-9
_NEAR = 0.01  # of the best value: a surplus that falls short by more is no favourite, rounded


@final
@dataclass(frozen=True)
class BudgetPoint:
    """A rule at one budget.

    Attributes:
        budget: Total, in the market's unit.
        price: What the rule charges per unit; None if it sets no price.
        clearing: Price at which demand meets the budget, whatever the rule does.
        place: Which budget of the bar.
        spends: Of each query.
        reasons: Places in `REASONS`, one a query.
        handed: Sum of the spends.
        used: What is really used of them: an answer may end before its cap.
        value: By the true curves.
        bound: No allocation of this budget is worth more, by the true curves.
        abandoned: How many queries got nothing.
        accuracy: Share of correct answers that was measured or drawn.
        low: Lower end of its 95% interval (Wilson), over queries.
        high: Upper end.
    """

    budget: float
    price: float | None
    clearing: float
    place: int
    spends: tuple[float, ...]
    reasons: tuple[int, ...]
    handed: float
    used: float
    value: float
    bound: float
    abandoned: int
    accuracy: float
    low: float
    high: float

    @property
    def gap(self) -> float:
        """What could be added at most, at least 0."""
        return max(0.0, self.bound - self.value)


def budget_points(market: Market, rule: str, every: int | None = None) -> tuple[BudgetPoint, ...]:
    """A rule at the budgets of the bar.

    Args:
        market: Queries.
        rule: One of `rules_for` the market.
        every: Which of the budgets: each, each second, ...; its `stops` if None.
    """
    sharing = rule_for(market, rule)
    kept = sharing.set_aside(market.seen)
    places = stops(market, rule) if every is None else range(0, len(market.budgets), every)
    return tuple(budget_point(market, sharing, place, kept) for place in places)


def budget_point(market: Market, rule: Rule, place: int, kept: Numbers | None = None) -> BudgetPoint:
    """A rule at one budget.

    Args:
        market: Queries.
        rule: How to share.
        place: Which budget of the bar.
        kept: What the rule sets aside for each query whatever it brings, shape (query,), if it does.
    """
    budget = float(market.budgets[place])
    found = rule.allocate(market.seen, budget)
    correct = market.correct(found.spend)
    accuracy, low, high = map(float, wilson(correct.sum(), len(correct)))
    return BudgetPoint(
        budget=budget,
        price=found.price,
        clearing=_cleared(market.seen, budget).price,
        place=place,
        spends=tuple(found.spend.tolist()),
        reasons=reasons(market.seen, found, kept),
        handed=found.spent,
        used=float(market.used(found.spend).sum()),
        value=float(market.truth.value(found.spend).sum()),
        bound=_cleared(market.truth, budget).upper_bound,
        abandoned=int(found.abandoned(market.seen).sum()),
        accuracy=accuracy,
        low=low,
        high=high,
    )


@lru_cache(maxsize=512)
def _cleared(curves: Utility, budget: float) -> Clearing:
    return clear(curves, budget)


def reasons(curves: Utility, found: Allocation, kept: Numbers | None = None) -> tuple[int, ...]:
    """Why each query got what it got, as places in `REASONS`.

    Args:
        curves: As the rule sees them.
        found: What it found.
        kept: What it sets aside for each query, shape (query,), if it does.
    """
    price, nothing, choke = found.price, found.abandoned(curves), curves.choke_prices
    worth = curves.value(found.spend)
    if price is None:
        codes = np.where(nothing, _UNPRICED, _FUNDED_UNPRICED)
    else:
        liked = curves.demand(price)
        best = curves.value(liked)
        away = best - price * liked - (worth - price * found.spend) > _NEAR * best + _SAME
        dear = np.where(
            choke <= price * (1 + _SAME), np.where(choke < price * (1 - _SAME), _TOO_DEAR, _LEFT_OUT), _PASSED
        )
        codes = np.where(nothing, np.where(choke > 0, dear, _HOPELESS), np.where(away, _ODD, _FUNDED))
    codes = np.where(~nothing & (worth <= 0), _WASTED, codes)
    if kept is not None:
        codes = np.where(~nothing & (worth > 0) & (found.spend <= kept * (1 + _SAME)), _KEPT, codes)
    return tuple(codes.tolist())
