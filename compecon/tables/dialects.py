"""How the columns of a text file are told apart: the separator and the quotes, decided by what fits all of it.

The separator is the one that gives the wanted columns. Quotes are those of RFC 4180: around a cell, and doubled within.
In a file with tabs they may also be ordinary characters: they are if a cell has one that no writer of quotes would have
left there, or if the lines fit only without them.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TextIO, final

from compecon.errors import CompeconError

SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_QUOTE = '"'
HEADER = "Give it a first line with the names of its columns."
Source = Callable[[], TextIO]
csv.field_size_limit(max(10_000_000, csv.field_size_limit()))  # characters; the module's own limit is short for texts


@final
@dataclass(frozen=True)
class Dialect:
    """How cells are told apart."""

    separator: str  # a character
    has_quotes: bool = True  # whether quotes surround cells; otherwise they are letters like others

    @property
    def options(self) -> dict[str, Any]:
        """The same for the `csv` module."""
        quoting = csv.QUOTE_MINIMAL if self.has_quotes else csv.QUOTE_NONE
        return {"delimiter": self.separator, "strict": True, "quoting": quoting}

    def __str__(self) -> str:
        quotes = "quotes around cells" if self.has_quotes else "quotes are ordinary characters"
        return f"separated by {SEPARATORS[self.separator]}, {quotes}"


@final
@dataclass(frozen=True)
class Columns:
    """Where the wanted columns are."""

    names: tuple[str, ...]  # of all columns, as they stand in the file
    found: dict[str, str]  # name in the file of each wanted column that is there, exactly or but for case and blanks
    doubled: str = ""  # a wanted name that stands there more than once; "" if there is none

    @classmethod
    def of(cls, names: Sequence[str], wanted: Sequence[str]) -> Columns:
        """Find columns among names: the exact one, else the only one that differs in case or blanks alone."""
        found, doubled = {}, ""
        for asked in wanted:
            near = [name for name in names if _plain(name) == _plain(asked)]
            exact = [name for name in names if name == asked]
            for hits in filter(None, (exact, near)):
                found[asked] = hits[0]
                doubled = doubled or (asked if len(hits) > 1 else "")
                break
        return cls(tuple(names), found, doubled)


def dialect_of(source: Source, usual: str, wanted: Sequence[str]) -> tuple[Dialect, Columns]:
    """How a file is written, and its columns: those of the separator that finds most of the wanted ones.

    Args:
        source: Opens the file at its beginning.
        usual: The separator that its name promises, which is tried first.
        wanted: Columns that it should have; empty if any will do.

    Raises:
        UnicodeDecodeError: If its first lines are in another encoding.
    """
    tried = []
    for separator in (usual, *(each for each in SEPARATORS if each != usual)):
        with closing(source()) as stream:
            columns = Columns.of(_first(stream, Dialect(separator)), wanted)
        if wanted and len(columns.found) == len(wanted):
            tried = [(separator, columns)]
            break
        tried.append((separator, columns))
    separator, columns = max(
        tried, key=lambda each: (len(each[1].found), len(each[1].names) if not each[1].found else 0)
    )
    return Dialect(separator, separator != "\t" or _has_quotes(source, len(columns.names))), columns


def require(columns: Columns, wanted: Sequence[str], name: str, error: type[CompeconError], cure: str = HEADER) -> None:
    """Make sure that a file has each wanted column once, or raise `error` with `cure`, what to do if one is absent."""
    absent = [asked for asked in wanted if asked not in columns.found]
    if absent and not columns.names:
        raise error(f"{name} has no column {', '.join(absent)}: it is empty.")
    if absent:
        there = ", ".join(f"{each[:40]!r}" for each in columns.names[:50])
        raise error(f"{name} has no column {', '.join(absent)}. It has: {there}. {cure}")
    if columns.doubled:
        raise error(f"{name} has more than one column {columns.doubled}. Rename one.")


def records(stream: TextIO, dialect: Dialect) -> Iterator[tuple[int, list[str] | str]]:
    """Every record with the line where it begins, from 1: its cells, or why it has none.

    Blank lines are left out, with separators or without: spreadsheets leave these where rows were emptied.
    """
    reader, begins = csv.reader(stream, **dialect.options), 1
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield begins, _in_words(error, reader.line_num - begins)
        else:
            if any(map(str.strip, fields)):
                yield begins, fields
        begins = reader.line_num + 1


def _in_words(error: csv.Error, n_taken: int) -> str:
    """What is wrong with a record that takes in so many lines after its first."""
    said = str(error)
    if "end of data" in said:
        return "a quote is opened and never closed" + (
            f", and takes in the {n_taken:,} lines after it" if n_taken else ""
        )
    if "expected after" in said:
        return "a quoted cell goes on after its closing quote; quotes within it have to be doubled"
    return f"a cell has more than {csv.field_size_limit():,} characters" if "field limit" in said else said


def _first(stream: TextIO, dialect: Dialect) -> list[str]:
    return next((fields for _, fields in records(stream, dialect) if isinstance(fields, list)), [])


def _has_quotes(source: Source, n_columns: int) -> bool:
    """Whether quotes surround cells in a file with tabs."""
    misfits, quoted, literal = 0, 0, 0
    with closing(source()) as stream:
        for _, fields in records(stream, Dialect("\t", has_quotes=False)):
            misfits += isinstance(fields, str) or len(fields) != n_columns
            quoted += sum(cell.startswith(_QUOTE) for cell in fields)
            literal += any(_QUOTE in cell and not _is_quoted(cell) for cell in fields)
    if not quoted or not misfits:
        return bool(quoted and not literal)
    with closing(source()) as stream:
        apart = Dialect("\t")
        others = sum(isinstance(row, str) or len(row) != n_columns for _, row in records(stream, apart))
    return others < misfits


def _is_quoted(cell: str) -> bool:
    inner = cell[1:-1]
    return len(cell) > 1 and cell[0] == cell[-1] == _QUOTE and _QUOTE not in inner.replace(_QUOTE * 2, "")


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
