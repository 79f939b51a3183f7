"""The columns of the list of runs: what a cell shows, what it is sorted by, and what a file holds of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

from compecon.files.csv_writer import csv_text
from compecon.views.runs.run_rows import RunRow

Number = float | None


@final
@dataclass(frozen=True)
class RunColumn:
    """A column."""

    title: str
    text: Callable[[RunRow], str]
    number: Callable[[RunRow], Number] | None = None  # what the text says as a number, where it says one
    help: str = ""

    def rank(self, row: RunRow) -> tuple[float, str] | None:
        """What a row is sorted by; None for one without a value."""
        if self.number:
            return None if (found := self.number(row)) is None else (found, "")
        return (0.0, text.casefold()) if (text := self.text(row)) else None


def _percent(share: Number, digits: int) -> str:
    return "" if share is None else f"{share:.{digits}%}"


def _why(row: RunRow) -> str:
    """How far a run is; why it ended, once it has."""
    if row.state.is_finished:
        return row.reason or row.stage
    return ", ".join(filter(None, (row.stage or row.reason, row.elapsed)))


COLUMNS = {
    "state": RunColumn("State", lambda row: f"{row.sign} {row.word}"),
    "run": RunColumn("Run", lambda row: row.title),
    "progress": RunColumn(
        "Progress", lambda row: _percent(row.progress, 0), lambda row: row.progress, "For the current stage."
    ),
    "left_s": RunColumn(
        "Left",
        lambda row: row.left,
        lambda row: row.left_s,
        "For the current stage, from the quartiles of the last 50 steps' times.",
    ),
    "quality": RunColumn(
        "Quality",
        lambda row: "" if row.quality is None else f"{row.quality:.3f}",
        lambda row: row.quality,
        "The task's metric on its test split.",
    ),
    "macs_left": RunColumn(
        "MACs left", lambda row: _percent(row.share, 1), lambda row: row.share, "MACs of heads and neurons."
    ),
    "submitted_at": RunColumn("Submitted", lambda row: row.when, lambda row: row.submitted_at),
    "reason": RunColumn("Stage or reason", _why),
}
SORTS = (*COLUMNS, *(f"-{name}" for name in COLUMNS))  # with a minus sign from the largest down


def in_order(rows: Sequence[RunRow], sort: str) -> list[RunRow]:
    """Rows by a column, those without a value last; equal ones keep their order.

    Args:
        rows: Any rows.
        sort: One of `SORTS`; "" for the order they are in.
    """
    if not sort:
        return list(rows)
    column, known, unknown = COLUMNS[sort.removeprefix("-")], [], []
    for row in rows:
        rank = column.rank(row)
        if rank is None:
            unknown.append(row)
        else:
            known.append((rank, row))
    known.sort(key=lambda pair: pair[0], reverse=sort.startswith("-"))
    return [row for _, row in known] + unknown


def rows_csv(rows: Sequence[RunRow]) -> str:
    """The rows as CSV: numbers where there are some, texts elsewhere."""
    cells = ([row.run_id, *((one.number or one.text)(row) for one in COLUMNS.values())] for row in rows)
    return csv_text(("run_id", *COLUMNS), cells)
