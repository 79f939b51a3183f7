"""The table of the frontier: each number in its column, the best first, and CSV that reads back."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

from compecon.views.frontier.drawn import FrontierAxes
from compecon.views.frontier.frontier_points import FrontierPoint, Reading
from compecon.views.frontier.frontier_table import COLUMNS, table_csv, table_rows
from compecon.views.frontier.frontier_view import frontier_view
from tests.support.frontier import a_point


def point(key: str, quality: float, **more: Any) -> FrontierPoint:
    costs = {"macs": Reading(100.0), "share": Reading(0.5, 0.4, 0.6)}
    given = a_point(f'name, "{key}"', **{"key": key, "family": "taylor", "costs": costs, **more})
    return replace(given, quality=Reading(quality, quality - 0.1, None))


POINTS = (point("a", 0.7, seed=3), point("b", 0.9, price=0.25, change=Reading(-0.02, -0.03, -0.01)), point("c", 0.8))
VIEW = frontier_view(POINTS, FrontierAxes("sst2", "share"))


def test_rows_are_the_points_the_best_first() -> None:
    assert [row["key"] for row in table_rows(VIEW)] == ["b", "c", "a"]
    assert [row["key"] for row in table_rows(VIEW, ["a", "c", "nothing"])] == ["c", "a"]


def test_where_less_is_better_the_least_comes_first() -> None:
    worse = tuple(
        point(key, value, metric="perplexity", higher_is_better=False) for key, value in (("a", 9.0), ("b", 3.0))
    )
    assert [row["key"] for row in table_rows(frontier_view(worse, FrontierAxes("sst2", "share")))] == ["b", "a"]


def test_a_row_holds_what_the_point_does() -> None:
    row = table_rows(VIEW, ["b"])[0]
    assert [row[name] for name in ("quality", "quality_high", "price", "seed")] == [0.9, None, 0.25, None]
    assert [row[name] for name in ("change", "change_low", "change_high")] == [-0.02, -0.03, -0.01]
    assert [row[name] for name in ("macs", "share", "latency", "parameters")] == [100.0, 0.5, None, None]


def test_csv_reads_back() -> None:
    read = list(csv.DictReader(io.StringIO(table_csv(table_rows(VIEW)))))
    assert [row["name"] for row in read] == ['name, "b"', 'name, "c"', 'name, "a"']
    assert list(read[0]) == list(COLUMNS)
    assert [row["price"] for row in read] == ["0.25", "", ""]
