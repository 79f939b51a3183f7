"""Up to six checkpoints side by side, as rows of words: what differs, what is searched for, and the whole as CSV."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from compecon.checkpoints.catalog import CheckpointEntry
from compecon.files.csv_writer import csv_text
from compecon.views.compare.card_rows import card_rows

MAX_COLUMNS = 6
UNKNOWN = "—"


@final
@dataclass(frozen=True)
class TableRow:
    """One property.

    Attributes:
        name: What it is called.
        values: Of each checkpoint, in words; "—" where it is not known.
        differs: Whether not all are the same.
    """

    name: str
    values: tuple[str, ...]
    differs: bool


@final
@dataclass(frozen=True)
class CompareTable:
    """Checkpoints as columns.

    Attributes:
        columns: Their titles; two of one title get their folders' names behind it.
        rows: Every property that is known of at least one.
        left_out: Title and reason of those that cannot be shown.
    """

    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    left_out: tuple[tuple[str, str], ...]


def table_of_task(a: str, b: str, entries: Mapping[str, CheckpointEntry]) -> tuple[str, ...]:
    """The checkpoints to show when nobody chose: these two, then others of the first one's task.

    Args:
        a: Name in the catalog.
        b: Name in the catalog.
        entries: The catalog, by name.
    """
    task = entries[a].task if a in entries else ""
    same = [name for name, entry in entries.items() if task and entry.task == task and not entry.problem]
    return tuple(name for name in dict.fromkeys((a, b, *same)) if name in entries)[:MAX_COLUMNS]


def compare_table(entries: Sequence[CheckpointEntry]) -> CompareTable:
    """Put checkpoints side by side, from their headers and cards; loads no weights.

    Args:
        entries: From the catalog.

    Raises:
        ValueError: If there are more than six.
    """
    if len(entries) > MAX_COLUMNS:
        raise ValueError(f"a table shows at most {MAX_COLUMNS} checkpoints, got {len(entries)}.")
    shown = [entry for entry in entries if not entry.problem]
    cards = [card_rows(entry) for entry in shown]
    names = dict.fromkeys(name for card in cards for name in card)
    rows = []
    for name in names:
        values = tuple(card.get(name, UNKNOWN) for card in cards)
        rows.append(TableRow(name, values, len(set(values)) > 1))
    left_out = tuple((entry.title or entry.name, entry.problem) for entry in entries if entry.problem)
    return CompareTable(_titles(shown), tuple(rows), left_out)


def _titles(entries: Sequence[CheckpointEntry]) -> tuple[str, ...]:
    """Titles that tell the checkpoints apart."""
    plain = [entry.title or entry.name for entry in entries]
    often = Counter(plain)
    tailed = [
        f"{title} ({entry.path.name})" if often[title] > 1 else title
        for title, entry in zip(plain, entries, strict=True)
    ]
    again = Counter(tailed)
    return tuple(f"{title}, {i + 1}" if again[title] > 1 else title for i, title in enumerate(tailed))


def shown_rows(table: CompareTable, *, differences_only: bool, sought: str = "") -> tuple[TableRow, ...]:
    """Rows that are wanted.

    Args:
        table: The whole.
        differences_only: Leave out what is the same for all; a single checkpoint differs from nobody and shows all.
        sought: Letters that a row's name or one of its values must have, in either case; "" for any.
    """
    only, wanted = differences_only and len(table.columns) > 1, sought.strip().casefold()
    return tuple(
        row
        for row in table.rows
        if (row.differs or not only) and any(wanted in cell.casefold() for cell in (row.name, *row.values))
    )


def table_csv(table: CompareTable, rows: Sequence[TableRow]) -> str:
    """Rows as CSV, in a column a checkpoint.

    Args:
        table: Whose columns.
        rows: Some of its rows.
    """
    return csv_text(["", *table.columns], ([row.name, *row.values] for row in rows))
