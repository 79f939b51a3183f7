"""Rows of an untrusted file of queries, with limits on everything that could be large.

Only the columns that are read are kept, under one name each, and a text in place of an id only as its hash: a log with
its prompts and answers may be as long as it likes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, final

from compecon.allocation.streams.columns import CUT_WORDS, KNOWN, other_names, sources
from compecon.errors import StreamError
from compecon.tables.dialects import HEADER, Columns, require
from compecon.tables.problems import Problem, refusal
from compecon.tables.reader import JSON_LINES, Row, ending_of, read_table

MAX_BYTES = 256_000_000  # unpacked
MAX_ROWS = 2_000_000
MAX_CELL = 1_000  # characters of a number
_MAX_NAME = 200
_BOOLEANS = {"true": 1.0, "false": 0.0}
_Read = TypeVar("_Read")


class CellError(StreamError):
    """A cell that says nothing usable."""

    def __init__(self, row: Row, what: str, cure: str = "") -> None:
        """Of a row, what is wrong with it, and what to do."""
        self.problem = Problem(row.where, what, cure)
        super().__init__(str(self.problem))


@final
@dataclass(frozen=True)
class RowFile:
    """A file of queries."""

    name: str
    rows: tuple[Row, ...]  # at least one; cells by the first name of their column
    there: Mapping[str, tuple[str, ...]]  # its columns: the first name of each, and what stands for it in the file
    columns: Columns  # as they stand in the file
    hashed: int  # how many queries are texts

    @property
    def ignored(self) -> tuple[str, ...]:
        """Columns that are not read, as they stand in the file."""
        found = self.columns.found
        read = {next((found[name] for name in names if name in found), None) for names in self.there.values()}
        return tuple(name[:40] for name in self.columns.names if name not in read)

    def has(self, *names: str) -> bool:
        """Whether it has all these columns."""
        return all(name in self.there for name in names)

    def need(self, *names: str, cure: str = HEADER) -> None:
        """Refuse a file without these columns, which can be cured in some way.

        Raises:
            StreamError: If one is absent.
        """
        absent = next((name for name in names if name not in self.there), "")
        tail = " ".join(filter(None, (absent and other_names(absent), cure)))
        found = Columns(self.columns.names, {name: name for name in self.there})
        require(found, names, self.name, StreamError, tail)

    def each(self, read: Callable[[Row], _Read]) -> Iterator[tuple[Row, _Read]]:
        """Every row and what is read of it; after the last one all that is wrong, at once.

        Raises:
            StreamError: If a row has a bad cell.
        """
        problems = list[Problem]()
        for row in self.rows:
            try:
                found = read(row)
            except CellError as bad:
                problems.append(bad.problem)
            else:
                yield row, found
        if problems:
            raise StreamError(refusal(problems, self.name))


def read_rows(path: Path) -> RowFile:
    """The rows of a file.

    Args:
        path: CSV, TSV (any separator) with a header, or JSON Lines; also packed, ending in .gz.

    Raises:
        StreamError: If it is absent, of another format, damaged, empty, without a query column, has rows that do not
            fit (all of which are listed), or is larger than the limits.
    """
    try:
        table = read_table(path, (), optional=KNOWN, limit=MAX_BYTES, error=StreamError)
    except FileNotFoundError:
        raise StreamError(f"{path} does not exist.") from None
    there = sources(table.columns.found)
    found = Columns(table.columns.names, dict.fromkeys(there, ""), table.columns.doubled)
    require(found, ("query",), path.name, StreamError, f"{other_names('query')} {HEADER}")
    is_json = ending_of(path.name) in JSON_LINES
    looked_up = sources(KNOWN) if is_json else there  # a later line may have more
    rows, texts = _kept(table.rows, looked_up, path.name)
    if is_json:
        there = {name: names for name, names in looked_up.items() if any(name in row.cells for row in rows)}
    return RowFile(path.name, tuple(rows), there, table.columns, len(texts))


def _kept(table: Iterable[Row], looked_up: Mapping[str, Iterable[str]], name: str) -> tuple[list[Row], set[str]]:
    """The rows with the cells that are read, and the ids that are hashes."""
    rows, problems, texts = list[Row](), list[Problem](), set[str]()
    for row in table:
        cells = _used(row.cells, looked_up)
        cells["query"], is_text = _query(cells.get("query"))
        if is_text:
            texts.add(cells["query"])
        problems += [row.problem] if row.problem else _too_long(row.where, cells)
        rows.append(Row(row.where, cells))
        if len(rows) > MAX_ROWS:
            raise StreamError(f"{name} has more than {MAX_ROWS:,} rows. Take fewer queries or budgets.")
    if problems:
        raise StreamError(refusal(problems, name))
    if not rows:
        raise StreamError(f"{name} has no rows. Give at least one query.")
    return rows, texts


def _used(cells: Mapping[str, Any], looked_up: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    """The cells that are read: of several names for a column the first that is there and not empty."""
    used = dict[str, Any]()
    for name, names in looked_up.items():
        for each in names:
            cell = cells.get(each)
            if cell is not None and cell != "":
                used[name] = cell
                break
    return used


def _query(cell: Any) -> tuple[Any, bool]:
    """The id of a query, and whether it is the hash of a text; what is neither stays as it is."""
    if isinstance(cell, list):  # messages
        cell = json.dumps(cell, ensure_ascii=False, sort_keys=True)
    if not isinstance(cell, (str, int)):
        return cell, False
    name = str(cell).strip()
    if len(name) <= _MAX_NAME and name.isprintable():
        return name, False
    return f"text-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}", True


def _too_long(where: str, cells: Mapping[str, Any]) -> list[Problem]:
    long = [name for name, cell in cells.items() if name != "query" and isinstance(cell, str) and len(cell) > MAX_CELL]
    return [Problem(where, f"{name} has more than {MAX_CELL:,} characters") for name in long]


def number_in(row: Row, column: str) -> float:
    """The number in a cell.

    Raises:
        CellError: If there is none.
    """
    cell = row.cells.get(column)
    try:
        if cell is None or isinstance(cell, (list, dict)):
            raise TypeError
        text = str(cell).strip()
        return _BOOLEANS[text.lower()] if text.lower() in _BOOLEANS else float(text)
    except (TypeError, ValueError, OverflowError):
        got = "nothing" if cell is None else repr(str(cell)[:40])
        raise CellError(row, f"{column} must be a number, got {got}") from None


def amount_in(row: Row, column: str, most: float) -> float:
    """A number from 0 to `most`; raises CellError if it is none."""
    number = number_in(row, column)
    if not 0 <= number <= most:  # NaN too
        raise CellError(row, f"{column} must be from 0 to {most:g}, got {number}")
    return number


def name_in(row: Row, column: str) -> str:
    """The name in a cell: not empty, without control characters, at most 200 characters.

    Raises:
        CellError: If it is none.
    """
    cell = row.cells.get(column)
    name = str(cell).strip() if isinstance(cell, (str, int)) else ""
    if not name or len(name) > _MAX_NAME or not name.isprintable():
        got = "nothing" if cell is None or cell == "" else repr(str(cell)[:40])
        raise CellError(row, f"{column} must be a name of 1 to {_MAX_NAME} printable characters, got {got}")
    return name


def is_cut(row: Row) -> bool:
    """Whether a limit ended the answer, by its columns ``cut`` and ``finish_reason``; raises CellError if unclear."""
    if "cut" in row.cells:
        flag = number_in(row, "cut")
        if flag not in (0.0, 1.0):
            raise CellError(row, f"cut must be 0 or 1, true or false, got {flag:g}")
        return flag == 1.0
    return str(row.cells.get("finish_reason", "")).strip().lower() in CUT_WORDS
