"""Rows of an untrusted file: CSV or JSON Lines, gzip or not, with limits on everything that could be large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from compecon.errors import StreamError
from compecon.tables.problems import Problem, refusal
from compecon.tables.reader import Row, read_table

MAX_BYTES = 64_000_000  # unpacked
MAX_ROWS = 2_000_000
MAX_CELL = 1_000  # characters


def read_rows(path: Path, wanted: Sequence[str] = ("query",)) -> list[Row]:
    """All rows of a file, with their lines and their cells unchanged.

    Args:
        path: A .csv or .tsv file with a header, or .jsonl with one object per line; also packed, ending in .gz.
        wanted: Columns that it must have.

    Raises:
        StreamError: If it is absent, of another format, damaged, empty, lacks a column, has rows that do not fit (all
            of which are listed), or is larger than the limits.
    """
    try:
        table = read_table(path, wanted, limit=MAX_BYTES, error=StreamError)
    except FileNotFoundError:
        raise StreamError(f"{path} does not exist.") from None
    rows, problems = list[Row](), list[Problem]()
    for row in table.rows:
        long = [name for name, cell in row.cells.items() if isinstance(cell, str) and len(cell) > MAX_CELL]
        problems += [row.problem] if row.problem else []
        problems += [Problem(row.where, f"{name[:40]} has more than {MAX_CELL} characters") for name in long]
        rows.append(replace(row, cells={str(name).strip(): cell for name, cell in row.cells.items()}))
        if len(rows) > MAX_ROWS:
            raise StreamError(f"{path.name} has more than {MAX_ROWS:,} rows. Take fewer queries or budgets.")
    if problems:
        raise StreamError(refusal(problems, path.name))
    if not rows:
        raise StreamError(f"{path.name} has no rows. Give at least one query.")
    return rows


def need(rows: Sequence[Row], columns: Sequence[str], name: str) -> None:
    """Refuse a file that lacks a column.

    Raises:
        StreamError: If the first row lacks one.
    """
    absent = [column for column in columns if column not in rows[0].cells]
    if absent:
        there = ", ".join(str(column)[:40] for column in list(rows[0].cells)[:20]) or "none"
        raise StreamError(f"{name} lacks {', '.join(absent)}. It has: {there}.")


def number_in(row: Row, column: str) -> float:
    """The number in a cell.

    Raises:
        StreamError: If there is none.
    """
    cell = row.cells.get(column)
    try:
        if cell is None or isinstance(cell, (list, dict)):
            raise TypeError
        return float({"true": "1", "false": "0"}.get(str(cell).strip().lower(), str(cell)))
    except (TypeError, ValueError, OverflowError):
        raise StreamError(f"{row.where}: {column} must be a number, got {str(cell)[:40]!r}.") from None


def name_in(row: Row, column: str) -> str:
    """The name in a cell: not empty, without control characters, at most 200 characters.

    Raises:
        StreamError: If it is none.
    """
    cell = row.cells.get(column)
    name = str(cell).strip() if isinstance(cell, (str, int)) else ""
    if not name or len(name) > 200 or not name.isprintable():
        raise StreamError(
            f"{row.where}: {column} must be a name of 1 to 200 printable characters, got {str(cell)[:40]!r}."
        )
    return name
