"""Streams of queries whose outcome at several budgets is known: measured, or from a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from compecon.allocation.streams.row_files import name_in, number_in, read_rows
from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.errors import StreamError
from compecon.tables.reader import Row

_MOST = 1e15  # of a row: sums of millions of them are finite, and exact in whole units


@final
@dataclass(frozen=True, eq=False)
class Stream:
    """Queries, and how each does at the budgets that were tried.

    Attributes:
        name: Name of the stream.
        queries: Ids, one per query, no two alike.
        levels: Budgets that were tried, shape (query, level), at least 0 and rising; a query with fewer repeats its
            last one.
        correct: Share of correct answers at each, shape (query, level), in [0, 1]; 0 or 1 if tried once.
        tokens: What was used, shape (query, level), at least 0; the budgets themselves if None.
        unit: What budgets count: "tokens", "keys", "MACs".

    Raises:
        ValueError: If shapes differ, an id occurs twice, or a number is out of its range.

    Examples:
        >>> stream = Stream("mine", ("a", "b"), np.array([[1.0, 2], [1, 2]]), np.array([[0.0, 1], [1, 1]]))
        >>> stream.curves().value([2, 0.5]).tolist()
        [1.0, 0.0]
    """

    name: str
    queries: tuple[str, ...]
    levels: Numbers
    correct: Numbers
    tokens: Numbers | None = None
    unit: str = "tokens"

    def __post_init__(self) -> None:
        if len(set(self.queries)) < len(self.queries):
            doubled = next(query for n, query in enumerate(self.queries) if query in self.queries[:n])
            raise ValueError(f"query ids must differ, but {doubled!r} occurs twice. Rename one.")
        if (self.correct > 1).any():
            raise ValueError(f"correct must be at most 1, got {self.correct.max()}.")
        if len(self.queries) != len(self.curves().values):
            raise ValueError(f"there are {len(self.queries)} ids for {len(self.correct)} queries.")

    def curves(self) -> MeasuredCurve:
        """A curve for each query: correct answers against budget."""
        return MeasuredCurve(self.levels, self.correct)

    def spent(self, budgets: Numbers) -> Numbers:
        """What queries use under budgets of shape (query,): no more than these."""
        if self.tokens is None:
            return budgets
        place = (self.levels <= budgets[:, None]).sum(axis=1) - 1
        used = np.take_along_axis(self.tokens, np.maximum(place, 0)[:, None], axis=1)[:, 0]
        return np.where(place >= 0, np.minimum(used, budgets), 0.0)

    def part(self, queries: Sequence[int] | Numbers) -> Stream:
        """Only these queries, by place."""
        places = np.asarray(queries, dtype=np.intp)
        tokens = None if self.tokens is None else self.tokens[places]
        names = tuple(self.queries[place] for place in places)
        return Stream(self.name, names, self.levels[places], self.correct[places], tokens, self.unit)


def read_stream(path: Path, *, unit: str = "tokens") -> Stream:
    """A stream from a file with a row for each query and budget.

    Args:
        path: CSV or JSON Lines with the columns ``query``, ``budget``, ``correct`` and optionally ``tokens``; other
            columns are ignored, and the order of rows does not matter. ``correct`` is a share, or true or false.
        unit: What budgets count: "tokens", "keys", "MACs".

    Returns:
        The stream, named after the file.

    Raises:
        StreamError: If the file cannot be read, a column is missing, a cell is out of range, or a query has a budget
            twice: several attempts at one budget have to be averaged first.

    Examples:
        >>> from compecon.paths import assets
        >>> stream = read_stream(assets() / "streams" / "sentiment-keys.jsonl.gz", unit="keys")
        >>> stream.name, len(stream.queries), stream.levels[0].tolist()
        ('sentiment-keys', 400, [1.0, 2.0, 4.0, 8.0, 13.0, 13.0])
    """
    rows = read_rows(path, ("query", "budget", "correct"))
    with_tokens = "tokens" in rows[0].cells
    found: dict[str, dict[float, tuple[float, float]]] = {}
    for row in rows:
        budget, outcome = _outcome(row, with_tokens=with_tokens)
        levels = found.setdefault(name_in(row, "query"), {})
        if budget in levels:
            raise StreamError(
                f"{row.where}: query {row.cells['query']!r} has budget {budget:g} twice. Average the two."
            )
        levels[budget] = outcome
    levels, correct, tokens = np.moveaxis(_table(found, path.name), -1, 0)
    return Stream(path.name.split(".")[0], tuple(found), levels, correct, tokens if with_tokens else None, unit)


def _outcome(row: Row, *, with_tokens: bool) -> tuple[float, tuple[float, float]]:
    budget, correct, where = number_in(row, "budget"), number_in(row, "correct"), row.where
    tokens = number_in(row, "tokens") if with_tokens else budget
    if not 0 <= budget <= _MOST:  # NaN too
        raise StreamError(f"{where}: budget must be from 0 to {_MOST:g}, got {budget}.")
    if not 0 <= correct <= 1:
        raise StreamError(f"{where}: correct must be in [0, 1], got {correct}.")
    if not 0 <= tokens <= _MOST:
        raise StreamError(f"{where}: tokens must be from 0 to {_MOST:g}, got {tokens}.")
    return budget, (correct, tokens)


def _table(found: dict[str, dict[float, tuple[float, float]]], name: str) -> Numbers:
    """Budget, outcome and tokens, shape (query, level, 3); a query with fewer levels repeats its last one."""
    n_levels = max(map(len, found.values()))
    if len(found) * n_levels > 50_000_000:
        raise StreamError(f"{name} makes a table of {len(found):,} × {n_levels:,} cells. Use fewer budgets.")
    table = np.empty((len(found), n_levels, 3))
    for place, levels in enumerate(found.values()):
        rows = [(budget, *levels[budget]) for budget in sorted(levels)]
        table[place] = rows + [rows[-1]] * (n_levels - len(rows))
    return table
