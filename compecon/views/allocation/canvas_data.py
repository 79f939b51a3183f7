"""What the canvas of the Allocation page is given: everything at every budget, and arrivals to play back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from compecon.allocation.clearing import clear
from compecon.allocation.online import OnlineMarket, play
from compecon.allocation.rules.repaired import RepairedShadowPrice
from compecon.views.allocation.choice_names import REASONS
from compecon.views.allocation.curve_lines import demand_curve, query_curves
from compecon.views.allocation.market_data import Market
from compecon.views.allocation.rule_view import BudgetPoint

_COLUMNS = ("budget", "clearing", "handed", "used", "value", "bound", "abandoned", "strict", "accuracy", "low", "high")


def canvas_table(market: Market, points: Sequence[BudgetPoint]) -> dict[str, Any]:
    """A market under a rule at budgets of the bar, ready for JSON; spends and curves are rounded to five digits."""
    curves, demand = query_curves(market), demand_curve(market)
    return {
        "unit": market.unit,
        "queries": list(market.queries),
        "choke": _short(curve.choke for curve in curves),
        "entry": _short(curve.entry for curve in curves),
        "curves": [[_short(curve.spends), _short(curve.values)] for curve in curves],
        "demand": {"prices": list(demand.prices), "totals": list(demand.totals)},
        "points": {name: [getattr(point, name) for point in points] for name in _COLUMNS},
        "places": [point.place for point in points],
        "prices": [point.price for point in points],
        "spends": [_short(point.spends) for point in points],
        "reasons": ["".join(map(str, point.reasons)) for point in points],
        "sentences": list(REASONS),
    }


def playback(market: Market, place: int, service: float = 0.0) -> dict[str, Any] | None:
    """The queries one after the other, at a price that is expected as if one in ten were known; None without a budget.

    Args:
        market: Queries.
        place: Which budget of the bar.
        service: Share of the mean budget that every query may use at any price.
    """
    budget = float(market.budgets[place])
    if budget <= 0:
        return None
    n = len(market.queries)
    least = service * budget / n
    first = OnlineMarket(market.seen.take(slice(None, None, 10)), budget, n, service=least)
    wishes = market.used(np.full(n, np.inf)) if market.is_drawn else None  # drawn answers end before their caps
    found = play(market.seen, first, realised=wishes)
    known = RepairedShadowPrice(n_tries=0).allocate(market.seen, budget).spend
    return {
        "budget": place,
        "service": least,
        "recycled": float((found.cap - found.used).sum()),
        "order": found.order.tolist(),
        "caps": np.round(found.cap, 4).tolist(),
        "prices": found.prices.tolist(),
        "earned": _short(np.cumsum(market.seen.value(found.cap)[found.order]), 6),
        "known": _short(np.cumsum(market.seen.value(known)[found.order]), 6),
        "used": float(found.used.sum()),
        "value": found.value,
        "bound": found.offline_bound,
        "offline": clear(market.seen, budget).price,
    }


def _short(values: Iterable[float], digits: int = 5) -> list[float]:
    return [float(f"{value:.{digits}g}") for value in values]
