"""The table of the frontier: each number in its column, the best first, and CSV that reads back."""

from __future__ import annotations

import csv
import io

from compecon.views.frontier.frontier_table import TableRow, table_csv, table_rows
from compecon.views.frontier.frontier_view import FrontierAxes, frontier_view
from compecon.views.frontier.points_of import FrontierPoint, Reading


def point(key: str, quality: float, **more: object) -> FrontierPoint:
    costs = {"macs": Reading(100.0), "share": Reading(0.5, 0.4, 0.6)}
    given = {"origin": "local", "task": "sst2", "metric": "accuracy", "split": "test", "costs": costs, **more}
    return FrontierPoint(key, f'name, "{key}"', "taylor", quality=Reading(quality, quality - 0.1, None), **given)  # type: ignore[arg-type]


POINTS = (point("a", 0.7, seed=3), point("b", 0.9, price=0.25, change=Reading(-0.02, -0.03, -0.01)), point("c", 0.8))
VIEW = frontier_view(POINTS, FrontierAxes("sst2", "share"))


def test_rows_are_the_points_the_best_first() -> None:
    assert [row.key for row in table_rows(VIEW)] == ["b", "c", "a"]
    assert [row.key for row in table_rows(VIEW, ["a", "c", "nothing"])] == ["c", "a"]


def test_where_less_is_better_the_least_comes_first() -> None:
    worse = tuple(
        point(key, value, metric="perplexity", higher_is_better=False) for key, value in (("a", 9.0), ("b", 3.0))
    )
    assert [row.key for row in table_rows(frontier_view(worse, FrontierAxes("sst2", "share")))] == ["b", "a"]


def test_a_row_holds_what_the_point_does() -> None:
    row = table_rows(VIEW, ["b"])[0]
    assert (row.quality, row.quality_high, row.price, row.seed) == (0.9, None, 0.25, None)
    assert (row.change, row.change_low, row.change_high) == (-0.02, -0.03, -0.01)
    assert (row.macs, row.share, row.latency, row.parameters) == (100.0, 0.5, None, None)


def test_csv_reads_back() -> None:
    read = list(csv.DictReader(io.StringIO(table_csv(table_rows(VIEW)))))
    assert [row["name"] for row in read] == ['name, "b"', 'name, "c"', 'name, "a"']
    assert list(read[0]) == list(TableRow.__dataclass_fields__)
    assert [row["price"] for row in read] == ["0.25", "", ""]
