"""One row of a table, looked at cell by cell: a text is a text, a label is there, and messages say which row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from compecon.errors import TaskError

MAX_CHARACTERS = 100_000  # of one text; above what any model here reads
_LONGEST_LABEL = 200
_MISSING = {"", "nan"}


@final
@dataclass(frozen=True)
class Columns:
    """Which column holds what.

    Attributes:
        text: The text, or the first of each pair.
        label: The class name or the score.
        pair: The second text of each pair; None for single texts.
    """

    text: str
    label: str
    pair: str | None = None

    @property
    def all(self) -> tuple[str, ...]:
        """Every column that is read."""
        return (self.text, self.label) if self.pair is None else (self.text, self.pair, self.label)


@final
@dataclass(frozen=True)
class TableRow:
    """A row that has all it needs.

    Attributes:
        where: File and number of the row, from 1, a header not counted; for messages.
        text: Not blank.
        pair: Not blank; None for single texts.
        label: As it is spelled: ``true`` and ``false`` for booleans, never blank, never "nan".
    """

    where: str
    text: str
    pair: str | None
    label: str


def checked(cells: Mapping[str, Any], columns: Columns, where: str) -> TableRow:
    """A row of cells by column, if each holds what it should.

    Raises:
        TaskError: If a text is empty, not a text, not Unicode or longer than `MAX_CHARACTERS`, or the label is missing
            or no label.
    """
    texts = [_text(cells[name], name, where) for name in columns.all[:-1]]
    return TableRow(where, texts[0], texts[1] if columns.pair else None, _label(cells[columns.label], columns, where))


def _text(cell: Any, name: str, where: str) -> str:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        raise TaskError(f"{where}: {name} is empty. Fill it in or leave the row out.")
    if not isinstance(cell, str):
        raise TaskError(f"{where}: {name} is {type(cell).__name__} ({cell!r:.40}), expected a text.")
    if len(cell) > MAX_CHARACTERS:
        raise TaskError(
            f"{where}: {name} has {len(cell):,} characters, at most {MAX_CHARACTERS:,} are read. Shorten it."
        )
    try:
        cell.encode()
    except UnicodeEncodeError as error:
        raise TaskError(f"{where}: {name} holds half a character (a lone surrogate). Mend or leave it out.") from error
    return cell.strip()


def _label(cell: Any, columns: Columns, where: str) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    if cell is None or (isinstance(cell, float) and math.isnan(cell)) or str(cell).strip().lower() in _MISSING:
        raise TaskError(f"{where}: {columns.label} is missing. Fill it in or leave the row out.")
    if not isinstance(cell, str | int | float):
        raise TaskError(f"{where}: {columns.label} is {type(cell).__name__}, expected a class name or a number.")
    label = str(cell).strip()
    if len(label) > _LONGEST_LABEL:
        raise TaskError(f"{where}: {columns.label} has {len(label):,} characters: that is a text, not a label.")
    return label
