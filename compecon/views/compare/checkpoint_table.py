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
    """A property and its value for each checkpoint, in words; "—" where it is not known."""

    name: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether not all values are the same."""
        return len(set(self.values)) > 1


@final
@dataclass(frozen=True)
class CompareTable:
    """Checkpoints as columns."""

    columns: tuple[str, ...]  # their titles; two of one title get their folders' names behind it
    rows: tuple[TableRow, ...]  # every property that is known of at least one
    left_out: tuple[tuple[str, str], ...]  # title and reason of those that cannot be shown


def table_of_task(a: str, b: str, entries: Mapping[str, CheckpointEntry]) -> tuple[str, ...]:
    """Names of the checkpoints to show if none are chosen: these two, then others of the first one's task."""
    task = entries[a].task if a in entries else ""
    same = [name for name, entry in entries.items() if task and entry.task == task and not entry.problem]
    return tuple(name for name in dict.fromkeys((a, b, *same)) if name in entries)[:MAX_COLUMNS]


def compare_table(entries: Sequence[CheckpointEntry]) -> CompareTable:
    """Put checkpoints side by side, from their headers and cards; loads no weights.

    Raises:
        ValueError: If there are more than six.
    """
    if len(entries) > MAX_COLUMNS:
        raise ValueError(f"a table shows at most {MAX_COLUMNS} checkpoints, got {len(entries)}.")
    shown = [entry for entry in entries if not entry.problem]
    cards = [card_rows(entry) for entry in shown]
    names = dict.fromkeys(name for card in cards for name in card)
    rows = tuple(TableRow(name, tuple(card.get(name, UNKNOWN) for card in cards)) for name in names)
    left_out = tuple((entry.title or entry.name, entry.problem) for entry in entries if entry.problem)
    return CompareTable(_titles(shown), rows, left_out)


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
    """Rows of a table.

    Args:
        table: The whole.
        differences_only: Leave out what is the same for all; of a single checkpoint, everything is shown.
        sought: What a row's name or one of its values must contain, in either case; "" for any.
    """
    only, wanted = differences_only and len(table.columns) > 1, sought.strip().casefold()
    return tuple(
        row
        for row in table.rows
        if (row.differs or not only) and any(wanted in cell.casefold() for cell in (row.name, *row.values))
    )


def table_csv(table: CompareTable, rows: Sequence[TableRow]) -> str:
    """Some rows of a table as CSV, with a column for each checkpoint."""
    return csv_text(["", *table.columns], ([row.name, *row.values] for row in rows))
