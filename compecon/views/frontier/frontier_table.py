"""The points of a frontier as a table, for people and for other programs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from compecon.files.csv_writer import csv_text
from compecon.views.frontier.drawn import FrontierMark, FrontierView
from compecon.views.frontier.frontier_points import Reading

COLUMNS = (
    *("name", "family", "standing", "quality", "quality_low", "quality_high", "change", "change_low", "change_high"),
    *("budget", "macs", "n_tokens", "share", "latency", "device", "parameters", "training_macs", "seed", "price"),
    *("setting", "source", "key"),
)


def table_rows(view: FrontierView, keys: Collection[str] = ()) -> list[dict[str, Any]]:
    """The points that a view shows by `COLUMNS`, the best first; None where a number is unknown.

    Args:
        view: The view.
        keys: Those that are wanted; all if empty.
    """
    wanted = frozenset(keys)
    marks = [mark for mark in view.marks if not wanted or mark.point.key in wanted]
    return [_row(mark) for mark in sorted(marks, key=lambda m: (-view.sign * m.y.value, m.x.value, m.point.key))]


def _row(mark: FrontierMark) -> dict[str, Any]:
    point, cost = mark.point, mark.point.cost
    cells = (
        *(point.name, point.family, mark.standing, *_numbers(point.quality), *_numbers(point.change)),
        *(point.budget, cost("macs"), point.n_tokens, cost("share"), cost("latency"), point.device, cost("parameters")),
        *(cost("training_macs"), point.training.seed, point.training.price, point.setting, point.source, point.key),
    )
    return dict(zip(COLUMNS, cells, strict=True))


def _numbers(reading: Reading | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if reading is None else (reading.value, reading.low, reading.high)


def table_csv(rows: Collection[dict[str, Any]]) -> str:
    """The table as CSV, a line a point."""
    return csv_text(COLUMNS, rows)
