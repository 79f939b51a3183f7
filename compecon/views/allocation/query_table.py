"""The queries of one budget as a table, and tables that other programs read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, final

import numpy as np

from compecon.files.csv_writer import csv_text
from compecon.views.allocation.choice_names import REASONS
from compecon.views.allocation.curve_lines import QueryCurve
from compecon.views.allocation.market_data import Market
from compecon.views.allocation.rule_view import BudgetPoint
from compecon.views.allocation.rules_compared import RuleCourse


@final
@dataclass(frozen=True)
class QueryRow:
    """What one query got."""

    query: str
    spend: float  # in the market's unit
    value: float  # what it is worth, as the rule sees it
    surplus: float  # value − price × spend; the value where there is no price
    choke: float  # price at and above which it buys nothing
    correct: float  # share of correct answers that the spend brings
    why: str  # in words
    level: str = ""  # what the spend buys is called, such as a size of an elastic model; "" if nothing


def query_rows(market: Market, point: BudgetPoint, curves: Sequence[QueryCurve]) -> tuple[QueryRow, ...]:
    """The queries of a market at a budget, the largest surplus first."""
    spends = np.array(point.spends)
    values, correct = market.seen.value(spends), market.correct(spends)
    rows = [
        QueryRow(
            query,
            spend,
            value,
            value - (point.price or 0.0) * spend,
            curve.choke,
            right,
            reason(code, point, curve),
            market.level_of(place, spend),
        )
        for place, query, spend, value, right, code, curve in zip(
            range(len(market.queries)),
            market.queries,
            point.spends,
            values.tolist(),
            correct.tolist(),
            point.reasons,
            curves,
            strict=True,
        )
    ]
    return tuple(sorted(rows, key=lambda row: -row.surplus))


def reason(code: int, point: BudgetPoint, curve: QueryCurve) -> str:
    """Why a query got what it got, with its numbers."""
    return REASONS[code].format(price=f"{point.price or 0.0:.4g}", choke=f"{curve.choke:.4g}")


def rows_csv(rows: Sequence[QueryRow]) -> str:
    """A line of CSV for each query."""
    return csv_text([field.name for field in fields(QueryRow)], map(asdict, rows))


def courses_rows(courses: Sequence[RuleCourse]) -> list[dict[str, Any]]:
    """A row for each rule and budget."""
    return [{"rule": course.label, **_totals(point)} for course in courses for point in course.points]


def table_csv(rows: Sequence[Mapping[str, Any]], provenance: Mapping[str, str]) -> str:
    """Rows with the names of the first as their header, after lines of comment on where they come from."""
    return csv_text(list(rows[0]) if rows else [], rows, provenance)


def table_json(rows: Sequence[Mapping[str, Any]], provenance: Mapping[str, str]) -> str:
    """The same as JSON."""
    return _json({"provenance": provenance, "rows": rows})


def allocation_json(market: Market, rule: str, point: BudgetPoint, rows: Sequence[QueryRow]) -> str:
    """An allocation, and where it comes from, as JSON."""
    about = {"stream": market.name, "source": market.description, "unit": market.unit, "rule": rule}
    return _json({**about, **_totals(point), "gap": point.gap, "queries": list(map(asdict, rows))})


def _totals(point: BudgetPoint) -> dict[str, Any]:
    """What is known of a budget as a whole."""
    return {name: value for name, value in asdict(point).items() if name not in ("spends", "reasons")}


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
