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
    """What one query got.

    Attributes:
        query: Its id.
        spend: In the market's unit.
        value: What it is worth, as the rule sees it.
        surplus: Value less price times spend; the value where there is no price.
        choke: Price from which on it buys nothing.
        correct: Share of correct answers that the spend brings.
        why: In words.
    """

    query: str
    spend: float
    value: float
    surplus: float
    choke: float
    correct: float
    why: str


def query_rows(market: Market, point: BudgetPoint, curves: Sequence[QueryCurve]) -> tuple[QueryRow, ...]:
    """The queries of a market at a budget, the largest surplus first."""
    spends = np.array(point.spends)
    values, correct = market.seen.value(spends), market.correct(spends)
    rows = [
        QueryRow(
            query, spend, value, value - (point.price or 0.0) * spend, curve.choke, right, reason(code, point, curve)
        )
        for query, spend, value, right, code, curve in zip(
            market.queries, point.spends, values.tolist(), correct.tolist(), point.reasons, curves, strict=True
        )
    ]
    return tuple(sorted(rows, key=lambda row: -row.surplus))


def reason(code: int, point: BudgetPoint, curve: QueryCurve) -> str:
    """Why a query got what it got, with its numbers."""
    return REASONS[code].format(price=f"{point.price or 0.0:.4g}", choke=f"{curve.choke:.4g}")


def rows_csv(rows: Sequence[QueryRow]) -> str:
    """A line a query."""
    return csv_text([field.name for field in fields(QueryRow)], map(asdict, rows))


def courses_rows(courses: Sequence[RuleCourse]) -> list[dict[str, Any]]:
    """A row for each rule and budget."""
    hidden = {"spends", "reasons"}
    return [
        {"rule": course.label, **{name: value for name, value in asdict(point).items() if name not in hidden}}
        for course in courses
        for point in course.points
    ]


def table_csv(rows: Sequence[Mapping[str, Any]], provenance: Mapping[str, str]) -> str:
    """Rows with one header, after where they come from in lines of comment.

    Args:
        rows: All with the names of the first.
        provenance: What, and its value.
    """
    return csv_text(list(rows[0]) if rows else [], rows, provenance)


def table_json(rows: Sequence[Mapping[str, Any]], provenance: Mapping[str, str]) -> str:
    """The same as JSON."""
    return json.dumps({"provenance": provenance, "rows": rows}, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def allocation_json(market: Market, rule: str, point: BudgetPoint, rows: Sequence[QueryRow]) -> str:
    """An allocation with where it comes from."""
    content: dict[str, Any] = {"stream": market.name, "source": market.description, "unit": market.unit, "rule": rule}
    summary = {k: v for k, v in asdict(point).items() if k not in {"spends", "reasons"}}
    content |= {**summary, "gap": point.gap, "queries": [asdict(row) for row in rows]}
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
