"""A run's metrics as a table that other programs read."""

from __future__ import annotations

from compecon.files.csv_writer import csv_text
from compecon.runs.history import History

_FIRST = ("stage", "step", "total")


def metrics_csv(history: History) -> str:
    """Every step of every stage, a line each, under the names that metrics.jsonl has; events are left out."""
    records = [record for steps in history.steps.values() for record in steps]
    names = dict.fromkeys([*_FIRST, *(name for record in records for name in record)])
    return csv_text(list(names), records)
