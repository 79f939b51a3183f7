"""What the canvas of the Allocation page is given: everything at every budget, so that it never has to ask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from compecon.views.allocation.choice_names import REASONS
from compecon.views.allocation.curve_lines import demand_curve, query_curves
from compecon.views.allocation.market_data import Market
from compecon.views.allocation.rule_view import BudgetPoint

_DIGITS = 5
_COLUMNS = ("budget", "clearing", "handed", "used", "value", "bound", "abandoned", "accuracy", "low", "high")


def canvas_table(market: Market, points: Sequence[BudgetPoint]) -> dict[str, Any]:
    """Numbers of a market under a rule, ready for JSON; spends and curves are rounded to five digits.

    Args:
        market: Queries.
        points: A rule at the budgets of the bar, or at some of them.
    """
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


def _short(values: Iterable[float]) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in values]
