"""Markets and what rules do in them, computed once for all pages that look at them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from compecon.allocation.arrays import Numbers
from compecon.allocation.clearing import clear
from compecon.allocation.online import opening, play
from compecon.allocation.rules.repaired import RepairedShadowPrice
from compecon.allocation.streams.bundled_streams import list_streams, open_stream
from compecon.allocation.streams.stream import read_stream
from compecon.allocation.streams.synthetic import MIXTURES
from compecon.views.allocation.canvas_data import canvas_table
from compecon.views.allocation.choice_names import Belief
from compecon.views.allocation.market_data import Market, drawn_market, measured_market
from compecon.views.allocation.rule_view import BudgetPoint, budget_points
from compecon.views.allocation.rules_compared import RuleCourse, rule_courses

FILE = "file"


def streams() -> Mapping[str, str]:
    """What can be shared out: names and titles."""
    measured = {entry.name: f"Measured · {entry.name}" for entry in list_streams()}
    return {**measured, **{name: f"Synthetic · {name}" for name in MIXTURES}, FILE: "Your file"}


@lru_cache(maxsize=8)
def market_of(stream: str, belief: Belief, noise: float) -> Market:
    """A bundled or synthetic market.

    Args:
        stream: One of `streams`, but not `FILE`.
        belief: Of a mixture.
        noise: Of a mixture.
    """
    if stream in MIXTURES:
        return drawn_market(MIXTURES[stream], belief, noise)
    entry = next(entry for entry in list_streams() if entry.name == stream)
    return measured_market(open_stream(stream), entry)


@lru_cache(maxsize=4)
def market_of_file(name: str, data: bytes) -> Market:
    """A market from a file that was handed in.

    Raises:
        StreamError: If it is no stream.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"your-file{'.csv' if name.lower().endswith('.csv') else '.jsonl'}"
        path.write_bytes(data)
        return measured_market(read_stream(path))


@lru_cache(maxsize=16)
def points_of(market: Market, rule: str) -> tuple[BudgetPoint, ...]:
    """A rule at its stops of the bar."""
    return budget_points(market, rule)


@lru_cache(maxsize=16)
def table_of(market: Market, rule: str) -> dict[str, Any]:
    """The same for the canvas."""
    return canvas_table(market, points_of(market, rule))


@lru_cache(maxsize=4)
def courses_of_rules(market: Market, *, with_oracle: bool) -> tuple[RuleCourse, ...]:
    """All rules, side by side."""
    return rule_courses(market, with_oracle=with_oracle)


@lru_cache(maxsize=32)
def playback_of(market: Market, place: int, service: float = 0.0) -> dict[str, Any] | None:
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
