"""Rules as the Allocation page runs them: with which settings, at how many budgets, and what of that has to be told."""

from __future__ import annotations

import math

import numpy as np

from compecon.allocation.rules.elastic_split import ElasticSplit
from compecon.allocation.rules.greedy import Greedy
from compecon.allocation.rules.knapsack_exact import KnapsackExact
from compecon.allocation.rules.repaired import RepairedShadowPrice
from compecon.allocation.rules.rule import Rule
from compecon.allocation.rules.rule_registry import make_rule
from compecon.allocation.rules.shadow_price import ShadowPrice
from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.surge import ShiftedSurge
from compecon.allocation.utilities.truncation import Truncation
from compecon.views.allocation.choice_names import RULES
from compecon.views.allocation.market_data import Market

_ANSWER = 50.0  # tokens that are set aside for each answer of a synthetic stream; ours
_QUANTUM = 10.0  # tokens: a step of the greedy rule on curves without levels
_WORK = 3e7  # updates of states a budget: about a tenth of a second
_EVERY = 3
_FEW_LEVELS = 8
_FEWEST_UNITS, _MOST_UNITS = 300, 3000  # of the largest level


def rules_for(market: Market) -> tuple[str, ...]:
    """The rules that fit a market's curves."""
    missing = left_out(market)
    return tuple(name for name in RULES if name not in missing)


def left_out(market: Market) -> dict[str, str]:
    """The rules that do not fit a market's curves, and why not."""
    if isinstance(market.seen, ShiftedSurge):
        return {}
    return {
        "exact-scan": "Exact scan is not offered: its proof is for the paper's surges with one slope and one decay. "
        "These curves have other shapes; the exact knapsack takes any."
    }


def rule_for(market: Market, name: str) -> Rule:
    """A rule with the page's settings, which `rule_note` tells.

    Args:
        market: Queries.
        name: One of `rules_for` the market.
    """
    smooth = isinstance(market.seen, Truncation)
    if name == "shadow-price-repaired":
        return RepairedShadowPrice(n_tries=0)  # the last step is slow and brings nothing at 500 queries
    if name == "knapsack-exact":
        return KnapsackExact(unit=knapsack_unit(market), most_work=_WORK, hand_back=True, n_tries=0)
    if name == "elastic-split":
        return ElasticSplit(answer=set_aside(market), thinking=ShadowPrice())
    if name == "greedy" and smooth:
        return Greedy(quantum=_QUANTUM)
    return make_rule(name)


def stops(market: Market, name: str) -> tuple[int, ...]:
    """At which budgets of the bar, by place, a rule is computed: all of them if that is a matter of seconds."""
    last = len(market.budgets) - 1
    if name != "knapsack-exact" or isinstance(market.seen, ShiftedSurge):
        return tuple(range(last + 1))
    if isinstance(market.seen, MeasuredCurve) and market.seen.levels.shape[1] <= _FEW_LEVELS:
        return tuple(range(last + 1))
    return tuple(sorted({*range(0, last, _EVERY), last}))


def knapsack_unit(market: Market) -> float:
    """What the exact knapsack counts as one: 1 if spends are whole and not huge, else a power of ten."""
    if not isinstance(market.seen, MeasuredCurve):
        return 1.0
    levels = market.seen.levels
    highest = float(levels.max())
    if highest <= 0 or (highest <= _MOST_UNITS and not (levels % 1.0).any()):
        return 1.0
    return float(10.0 ** math.floor(math.log10(highest / _FEWEST_UNITS)))


def set_aside(market: Market) -> Numbers:
    """What elastic split keeps for each answer, shape (query,): the least that was tried; 50 tokens where drawn."""
    if isinstance(market.seen, MeasuredCurve):
        return market.seen.levels[:, 0]
    return np.full(len(market.queries), _ANSWER)


def rule_note(market: Market, name: str) -> str:
    """What has to be known of a rule's settings here; empty if nothing."""
    if name == "elastic-split":
        of = "the least that was tried" if isinstance(market.seen, MeasuredCurve) else f"{_ANSWER:g} tokens"
        return (
            f"Elastic split sets {of} aside for the answer of every query, whatever it brings, and shares the rest at "
            "one price. Where the budget does not reach, all get the same share of that."
        )
    if name == "greedy" and isinstance(market.seen, Truncation):
        return f"Greedy buys {_QUANTUM:g} tokens at a time here."
    if name != "knapsack-exact":
        return ""
    n_stops, n_budgets, unit = len(stops(market, name)), len(market.budgets), knapsack_unit(market)
    fewer = f" It is computed at {n_stops} of the {n_budgets} budgets of the bar." if n_stops < n_budgets else ""
    one = "whole " + market.unit if unit == 1 else f"steps of {unit:g} {market.unit}, levels rounded up"
    return (
        f"Exact knapsack: the best there is in {one} by the curves that it sees, proven, or as near as a tenth of a "
        f"second a budget proves; what rounding took is handed back. The gap is to the bound without rounding.{fewer}"
    )
