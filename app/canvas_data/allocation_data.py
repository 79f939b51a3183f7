"""What the Allocation page hands to its canvas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from app.canvas_data.shared_markets import FILE, market_of, playback_of, streams, table_of
from app.state.allocation_choice import AllocationChoice, AllocationView, rule_among
from compecon.allocation.rules import RULES
from compecon.errors import StreamError
from compecon.views.allocation.choice_names import BELIEFS
from compecon.views.allocation.market_data import Market
from compecon.views.allocation.rule_view import rule_note, rules_for, stops


def canvas_data(market: Market, choice: AllocationChoice, view: AllocationView) -> dict[str, Any]:
    """All that the canvas draws, for a view as `placed` gives it."""
    table = table_of(market, choice.rule)
    shown = json.dumps([market.name, market.queries, choice.rule, table["choke"], table["points"]["value"]])
    return {
        "id": hashlib.sha256(shown.encode()).hexdigest()[:16],
        "table": table,
        "view": asdict(view),
        "money": choice.money if market.unit == "tokens" else 0.0,
        "worth": market.worth,
        "one": {"tokens": "token", "keys": "key", "money": "unit of money"}.get(market.unit, market.unit),
        "playback": playback_of(market, view.budget, choice.service),
        "note": rule_note(market, choice.rule),
        "provenance": provenance(market, choice),
    }


def placed(market: Market, choice: AllocationChoice, view: AllocationView) -> AllocationView:
    """The same view, at a budget that is a stop of this market's bar and a query that it has."""
    nearest = min(stops(market, choice.rule), key=lambda place: abs(place - view.budget))
    return replace(view, budget=nearest, query=min(view.query, len(market.queries) - 1))


def provenance(market: Market, choice: AllocationChoice) -> dict[str, str]:
    """Where the numbers of this page come from, for its files."""
    drawn = {"belief": BELIEFS[choice.belief], "noise": f"{choice.noise:g}"} if market.is_drawn else {}
    return {"stream": market.name, "source": market.description, "rule": RULES[choice.rule].label, **drawn}


def first_data(params: Mapping[str, str]) -> dict[str, Any] | None:
    """What the page will hand to its canvas at an address; None for a file that is still to come, or damaged.

    Args:
        params: Of the address, as anybody may have written them.
    """
    choice = AllocationChoice.from_mapping(params, streams())
    if choice.stream == FILE:
        return None
    try:
        market = market_of(choice.stream, choice.belief, choice.noise)
    except StreamError:
        return None  # the page says what is wrong
    choice = replace(choice, rule=rule_among(rules_for(market), choice.rule))
    return canvas_data(market, choice, placed(market, choice, AllocationView.from_mapping(params)))
