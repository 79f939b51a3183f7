"""A stream served one query after the other, as the canvas plays it back."""

from __future__ import annotations

from typing import Any

import numpy as np

from compecon.allocation.clearing import clear
from compecon.allocation.online import opening, play
from compecon.allocation.rules.repaired import RepairedShadowPrice
from compecon.allocation.utilities.arrays import Numbers
from compecon.views.allocation.market_data import Market


def playback(market: Market, place: int, service: float = 0.0) -> dict[str, Any] | None:
    """The queries one after the other, at a price that opens as if one in ten were known; None without a budget.

    Args:
        market: Queries.
        place: Which budget of the bar.
        service: Share of the mean budget that everybody may use whatever the price.
    """
    budget = float(market.budgets[place])
    if budget <= 0:
        return None
    n = len(market.queries)
    least = service * budget / n
    first = opening(market.seen.take(slice(None, None, 10)), budget, n, service=least)
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
        "earned": _so_far(market.seen.value(found.cap)[found.order]),
        "known": _so_far(market.seen.value(known)[found.order]),
        "used": float(found.used.sum()),
        "value": found.value,
        "bound": found.offline_bound,
        "offline": clear(market.seen, budget).price,
    }


def _so_far(values: Numbers) -> list[float]:
    return [float(f"{total:.6g}") for total in np.cumsum(values)]
