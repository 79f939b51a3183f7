"""Rules as the Allocation page runs them: which fit, at how many budgets, and what of their settings has to be told."""

from __future__ import annotations

from compecon.allocation.rules import RULES
from compecon.allocation.rules.rule import Rule
from compecon.views.allocation.market_data import Market

_EVERY = 3


def rules_for(market: Market) -> tuple[str, ...]:
    """The rules that fit a market's curves and need not be told the truth."""
    made = {name: RULES.make(name) for name in RULES}
    return tuple(name for name, rule in made.items() if not (rule.needs_truth or rule.refusal(market.seen)))


def left_out(market: Market) -> dict[str, str]:
    """The rules that do not fit a market's curves, and why not."""
    reasons = {name: RULES.make(name).refusal(market.seen) for name in RULES}
    return {name: f"{RULES[name].label} is not available: {reason}" for name, reason in reasons.items() if reason}


def rule_for(market: Market, name: str) -> Rule:
    """A rule with the page's settings, which `rule_note` tells.

    Args:
        market: Queries.
        name: One of `rules_for` the market.
    """
    return RULES.make(name).at_many_budgets(market.seen)


def stops(market: Market, name: str) -> tuple[int, ...]:
    """At which budgets of the bar, by place, a rule is computed: all of them if that is a matter of seconds."""
    last = len(market.budgets) - 1
    if not RULES.make(name).is_slow(market.seen):
        return tuple(range(last + 1))
    return tuple(sorted({*range(0, last, _EVERY), last}))


def rule_note(market: Market, name: str) -> str:
    """What has to be known of a rule's settings here; empty if nothing."""
    n_stops, n_budgets = len(stops(market, name)), len(market.budgets)
    fewer = f"Computed at {n_stops} of the bar's {n_budgets} budgets." if n_stops < n_budgets else ""
    return " ".join(filter(None, (rule_for(market, name).note(market.seen, market.unit), fewer)))
