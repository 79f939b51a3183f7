"""One row of a table, looked at cell by cell: a text is a text, and a label is a label or is not there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

from compecon.files.safe_reader import is_valid_text
from compecon.tables.problems import Problem

MAX_CHARACTERS = 100_000  # of one text; above what any model here reads
LEAVE_OUT = "Fill it in or leave the row out."
_LONGEST_LABEL = 200
_MISSING = {"", "nan"}
_TRUTH = {True: "true", False: "false"}


@final
@dataclass(frozen=True)
class Columns:
    """Which column holds what."""

    text: str  # the text, or the first of each pair
    label: str  # the class name or the score
    pair: str | None = None  # the second text of each pair; None for single texts

    @property
    def texts(self) -> tuple[str, ...]:
        """Columns of texts."""
        return (self.text,) if self.pair is None else (self.text, self.pair)

    @property
    def all(self) -> tuple[str, ...]:
        """Every column that is read."""
        return (*self.texts, self.label)


@final
@dataclass(frozen=True)
class TableRow:
    """A row that has its texts."""

    where: str  # file and line, as an editor counts them; for messages
    text: str  # not blank
    pair: str | None  # not blank; None for single texts
    label: str  # as it is spelled: ``true`` and ``false`` for booleans; "" where there is none


def problems_of(cells: Mapping[str, Any], columns: Columns, where: str) -> list[Problem]:
    """Everything that is wrong with a row: a text that is empty, not text, not Unicode or too long, or a bad label.

    A missing label is not a problem: whole splits have none.
    """
    found = [(name, why) for name in columns.texts for why in _of_text(cells[name])]
    found += [(columns.label, why) for why in _of_label(cells[columns.label])]
    return [Problem(where, f"{name} {what}", cure) for name, (what, cure) in found]


def row_of(cells: Mapping[str, Any], columns: Columns, where: str) -> TableRow:
    """A row of cells without problems."""
    text, *pair = (cells[name].strip() for name in columns.texts)
    return TableRow(where, text, pair[0] if pair else None, _spelled(cells[columns.label]))


def _of_text(cell: Any) -> Iterator[tuple[str, str]]:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        yield "is empty", LEAVE_OUT
    elif not isinstance(cell, str):
        yield f"is {type(cell).__name__} ({cell!r:.40}), expected text", ""
    elif len(cell) > MAX_CHARACTERS:
        yield f"has {len(cell):,} characters, at most {MAX_CHARACTERS:,} are read", "Shorten it."
    elif not is_valid_text(cell):
        yield "holds half a character (a lone surrogate)", "Correct it or leave the row out."


def _of_label(cell: Any) -> Iterator[tuple[str, str]]:
    if cell is not None and not isinstance(cell, str | int | float):
        yield f"is {type(cell).__name__}, expected a class name or a number", ""
    elif len(label := _spelled(cell)) > _LONGEST_LABEL:
        yield f"has {len(label):,} characters: that is a text, not a label", "Name another column."
    elif not is_valid_text(label):
        yield "holds half a character (a lone surrogate)", "Correct it or leave the row out."


def _spelled(cell: Any) -> str:
    if isinstance(cell, bool):
        return _TRUTH[cell]
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    label = str(cell).strip()
    return "" if label.lower() in _MISSING else label
