"""A comparison on a data set as tables of numbers and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from compecon.files.csv_writer import csv_text
from compecon.files.durable import plain
from compecon.views.compare.paired_rows import DatasetView, Sides

LEVEL_COLUMNS = ("keys", "statistic", "of", "value", "low", "high")


def level_rows(view: DatasetView) -> tuple[tuple[str, str, str, float | None, float | None, float | None], ...]:
    """A line a budget, quantity and side, as of `LEVEL_COLUMNS`; keys are "all" or a number."""
    return tuple(_rows(view))


def _rows(view: DatasetView) -> Iterator[tuple[str, str, str, float | None, float | None, float | None]]:
    for level in view.levels:
        keys = "all" if level.keys is None else str(level.keys)
        named: dict[str, Sides] = {"gini": level.gini, "entropy": level.entropy, view.metric: level.quality}
        for name, sides in named.items():
            for of, one in (("A", sides.a), ("B", sides.b), ("A - B", sides.difference)):
                yield keys, name, of, one.value, one.low, one.high


def levels_csv(view: DatasetView) -> str:
    """`level_rows` as CSV."""
    return csv_text(LEVEL_COLUMNS, level_rows(view))


def view_json(view: DatasetView) -> str:
    """Everything as JSON."""
    content: dict[str, Any] = {"schema": 1, **plain(asdict(view))}
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
