"""Rules as the Allocation page runs them: which fit, and one at every budget of the bar.

At each budget: price, spends, which queries are abandoned and why, value, bound and gap.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import final

import numpy as np

from compecon.allocation.bounded import Allocation, tightened
from compecon.allocation.clearing import Clearing, clear
from compecon.allocation.rules import RULES
from compecon.allocation.rules.rule import Rule
from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.utility import Utility
from compecon.stats.intervals import wilson
from compecon.views.allocation.choice_names import REASONS
from compecon.views.allocation.market_data import Market

_FUNDED, _FUNDED_UNPRICED, _TOO_DEAR, _LEFT_OUT, _HOPELESS, _UNPRICED, _WASTED, _KEPT, _ODD, _PASSED = range(
    len(REASONS)
)
_EVERY = 3  # which budgets of the bar a slow rule is computed at
_SAME = 1e-9
_NEAR = 0.01  # of the best value: a surplus that falls short by more is no favourite, rounded


def rules_for(market: Market) -> tuple[str, ...]:
    """The rules that fit a market's curves and need not know the true ones."""
    made = {name: RULES.make(name) for name in RULES}
    return tuple(name for name, rule in made.items() if not (rule.needs_truth or rule.refusal(market.seen)))


def left_out(market: Market) -> dict[str, str]:
    """The rules that do not fit a market's curves, and why not."""
    reasons = {name: RULES.make(name).refusal(market.seen) for name in RULES}
    return {name: f"{RULES[name].label} is not available: {reason}" for name, reason in reasons.items() if reason}


def rule_for(market: Market, name: str) -> Rule:
    """One of `rules_for` the market, with the page's settings, which `rule_note` describes."""
    return RULES.make(name).at_many_budgets(market.seen)


def stops(market: Market, name: str) -> tuple[int, ...]:
    """The budgets of the bar, by place, at which a rule is computed: all of them unless that takes long."""
    last = len(market.budgets) - 1
    if not RULES.make(name).is_slow(market.seen):
        return tuple(range(last + 1))
    return tuple(sorted({*range(0, last, _EVERY), last}))


def rule_note(market: Market, name: str) -> str:
    """What to know of a rule's settings here; "" if nothing."""
    n_stops, n_budgets = len(stops(market, name)), len(market.budgets)
    fewer = f"Computed at {n_stops} of the bar's {n_budgets} budgets." if n_stops < n_budgets else ""
    return " ".join(filter(None, (rule_for(market, name).note(market.seen, market.unit), fewer)))


@final
@dataclass(frozen=True)
class BudgetPoint:
    """A rule at one budget."""

    budget: float  # total, in the market's unit
    price: float | None  # what the rule charges per unit; None if it sets no price
    clearing: float  # price at which demand meets the budget, whatever the rule does
    place: int  # which budget of the bar
    spends: tuple[float, ...]  # of each query
    reasons: tuple[int, ...]  # places in `REASONS`, one a query
    handed: float  # sum of the spends
    used: float  # what is used of them: an answer may end before its cap
    value: float  # by the true curves
    bound: float  # no allocation of this budget is worth more, by the true curves
    abandoned: int  # how many queries got nothing
    strict: int  # how many get nothing at the clearing price, at which equal queries all buy or none does
    accuracy: float  # share of correct answers that was measured or drawn
    low: float  # lower end of its 95% interval (Wilson), over queries
    high: float  # upper end

    @property
    def gap(self) -> float:
        """What could be added at most, at least 0."""
        return max(0.0, self.bound - self.value)


def budget_points(market: Market, rule: str, every: int | None = None) -> tuple[BudgetPoint, ...]:
    """One of `rules_for` a market at its `stops`, or at every so many of the budgets of the bar."""
    sharing = rule_for(market, rule)
    kept = sharing.set_aside(market.seen)
    places = stops(market, rule) if every is None else range(0, len(market.budgets), every)
    return tuple(budget_point(market, sharing, place, kept) for place in places)


def budget_point(market: Market, rule: Rule, place: int, kept: Numbers | None = None) -> BudgetPoint:
    """A rule at one budget of the bar, by place; `kept` is what it reserves for each query, shape (query,)."""
    budget = float(market.budgets[place])
    found, cleared = rule.allocate(market.seen, budget), _cleared(market.seen, budget)
    correct = market.correct(found.spend)
    accuracy, low, high = map(float, wilson(correct.sum(), len(correct)))
    return BudgetPoint(
        budget=budget,
        price=found.price,
        clearing=cleared.price,
        place=place,
        spends=tuple(found.spend.tolist()),
        reasons=reasons(market.seen, found, kept),
        handed=found.spent,
        used=float(market.used(found.spend).sum()),
        value=float(market.truth.value(found.spend).sum()),
        bound=tightened(market.truth, _cleared(market.truth, budget).upper_bound),
        abandoned=int(found.abandoned(market.seen).sum()),
        strict=int(replace(found, spend=cleared.spend).abandoned(market.seen).sum()),
        accuracy=accuracy,
        low=low,
        high=high,
    )


@lru_cache(maxsize=512)
def _cleared(curves: Utility, budget: float) -> Clearing:
    return clear(curves, budget)


def reasons(curves: Utility, found: Allocation, kept: Numbers | None = None) -> tuple[int, ...]:
    """Why each query got what it got, as places in `REASONS`, by the curves that the rule sees and what it reserved."""
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
