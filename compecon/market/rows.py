"""Rows of a file from anybody: CSV or JSON Lines, gzip or not, with limits on everything that could be large."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from compecon.errors import StreamError

Row: TypeAlias = Mapping[str, Any]
MAX_BYTES = 64_000_000  # unpacked
MAX_ROWS = 2_000_000
MAX_CELL = 1_000  # characters
_FORMATS = (".csv", ".jsonl", ".ndjson", ".csv.gz", ".jsonl.gz", ".ndjson.gz")


def read_rows(path: Path) -> list[Row]:
    """All rows of a file, each a mapping of column names to cells as they stand there.

    Args:
        path: A .csv file with a header, or .jsonl with an object a line; UTF-8; also packed, ending in .gz.

    Raises:
        StreamError: If it is not there, of another format, damaged, empty, or larger than the limits.
    """
    if not path.name.lower().endswith(_FORMATS):
        raise StreamError(f"{path.name} must end in one of {', '.join(_FORMATS)}.")
    text = _text(path)
    is_csv = ".csv" in "".join(path.suffixes[-2:]).lower()
    rows = []
    for number, row in enumerate(_csv(text, path.name) if is_csv else _json_lines(text, path.name), start=1):
        if number > MAX_ROWS:
            raise StreamError(f"{path.name} has more than {MAX_ROWS:,} rows. Take fewer queries or budgets.")
        rows.append(row)
    if not rows:
        raise StreamError(f"{path.name} has no rows. Give at least one query.")
    return rows


def need(rows: Sequence[Row], columns: Sequence[str], name: str) -> None:
    """Refuse a file that lacks a column.

    Raises:
        StreamError: If the first row lacks one.
    """
    absent = [column for column in columns if column not in rows[0]]
    if absent:
        there = ", ".join(str(column)[:40] for column in list(rows[0])[:20]) or "none"
        raise StreamError(f"{name} lacks {', '.join(absent)}. It has: {there}.")


def number_in(row: Row, column: str, where: str) -> float:
    """The number in a cell.

    Raises:
        StreamError: If there is none.
    """
    cell = row.get(column)
    try:
        if cell is None or isinstance(cell, (list, dict)):
            raise TypeError
        return float({"true": "1", "false": "0"}.get(str(cell).strip().lower(), str(cell)))
    except (TypeError, ValueError, OverflowError):
        raise StreamError(f"{where}: {column} must be a number, got {str(cell)[:40]!r}.") from None


def name_in(row: Row, column: str, where: str) -> str:
    """The name in a cell: not empty, without control characters, at most 200 characters.

    Raises:
        StreamError: If it is none.
    """
    cell = row.get(column)
    name = str(cell).strip() if isinstance(cell, (str, int)) else ""
    if not name or len(name) > 200 or not name.isprintable():
        raise StreamError(f"{where}: {column} must be a name of 1 to 200 printable characters, got {str(cell)[:40]!r}.")
    return name


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            packed = gzip.GzipFile(fileobj=file) if path.suffix.lower() == ".gz" else file
            content = packed.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise StreamError(f"{path} is not there.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise StreamError(f"{path.name} cannot be read: {error}.") from error
    if len(content) > MAX_BYTES:
        raise StreamError(f"{path.name} has more than {MAX_BYTES / 1e6:g} MB. Take fewer queries or budgets.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StreamError(f"{path.name} is not UTF-8 at byte {error.start}. Save it as UTF-8.") from error


def _csv(text: str, name: str) -> Iterator[Row]:
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip() for column in next(lines, [])]
        if len(set(header)) < len(header):
            raise StreamError(f"{name} has a column twice: {', '.join(header)[:200]}. Rename one.")
        for cells in filter(None, lines):
            if len(cells) != len(header) or max(map(len, cells)) > MAX_CELL:
                raise StreamError(
                    f"{name}, line {lines.line_num} must have {len(header)} cells of at most {MAX_CELL} characters, "
                    f"got {len(cells)} cells."
                )
            yield dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise StreamError(f"{name}, line {lines.line_num} is not CSV: {error}.") from error


def _json_lines(text: str, name: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise StreamError(f"{name}, line {number} is not JSON: {str(error)[:100]}. Got: {line[:60]!r}") from error
        if not isinstance(row, dict):
            raise StreamError(f"{name}, line {number} must be an object, got {type(row).__name__}.")
        yield row
