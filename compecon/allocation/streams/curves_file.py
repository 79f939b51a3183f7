"""Curves from a file: measured ones, or the parameters of a formula."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from compecon.allocation.streams.answers import tokens_in
from compecon.allocation.streams.columns import LEVEL_NAMES
from compecon.allocation.streams.prices import Prices
from compecon.allocation.streams.row_files import CellError, RowFile, amount_in, is_cut, name_in, number_in, read_rows
from compecon.allocation.streams.stream import Stream, stream_of
from compecon.allocation.utilities.fit import fit_rollouts
from compecon.allocation.utilities.surge import ShiftedSurge
from compecon.allocation.utilities.truncation import Truncation
from compecon.allocation.utilities.uncertain import expected_utility
from compecon.allocation.utilities.utility import Utility
from compecon.errors import StreamError
from compecon.tables.reader import Row


@final
@dataclass(frozen=True, eq=False)
class NamedCurves:
    """Curves and the ids of their queries."""

    queries: tuple[str, ...]  # ids
    utility: Utility  # the curves, in the same order
    kind: str  # "measured", "surge", "truncation" or "rollouts"
    unsolved: tuple[str, ...] = ()  # queries without a curve, because none of their rollouts was correct
    stream: Stream | None = None  # what was measured, if they were

    @property
    def unit(self) -> str:
        """What budgets count."""
        return "tokens" if self.stream is None else self.stream.unit


def read_curves(path: Path, *, prices: Prices | None = None) -> NamedCurves:
    """Curves from a CSV, TSV or JSON Lines file, of the kind that its columns imply.

    - answers at levels: measured, as `read_stream`;
    - ``query, threshold, slope, decay``: `ShiftedSurge`;
    - ``query, threshold, decay, ceiling``: `Truncation`;
    - answers with ``tokens`` and without levels, several of each query: curves fitted to these rollouts, averaged over
      the error of each fitted threshold (`fit_rollouts`, `expected_utility`).

    Args:
        path: The file.
        prices: What tokens cost; for answers at levels.

    Raises:
        StreamError: If the file cannot be read, a column is missing, a number is of the wrong sign, or an id
            occurs twice.
    """
    file = read_rows(path)
    if file.has("threshold"):
        return _given(file)
    has_levels = prices is not None or any(map(file.has, (*LEVEL_NAMES, "budget", "cost")))
    if not has_levels and (file.has("tokens") or file.has("output_tokens")):
        return _fitted(file)
    stream = stream_of(file, prices=prices)
    return NamedCurves(stream.queries, stream.curves(), "measured", stream=stream)


def _given(file: RowFile) -> NamedCurves:
    if file.has("slope") == file.has("ceiling"):
        raise StreamError(f"{file.name} must have either slope or ceiling beside threshold and decay.")
    third = "slope" if file.has("slope") else "ceiling"
    file.need("decay")
    numbers = ("threshold", "decay", third)
    rows = [each for _, each in file.each(lambda row: (name_in(row, "query"), *(number_in(row, n) for n in numbers)))]
    queries, (threshold, decay, last) = tuple(str(row[0]) for row in rows), np.array([row[1:] for row in rows]).T
    if len(set(queries)) < len(queries):
        raise StreamError(f"{file.name} has a query twice. Give each an id of its own.")
    try:
        if third == "slope":
            return NamedCurves(queries, ShiftedSurge(threshold, last, decay), "surge")
        return NamedCurves(queries, Truncation(threshold, decay, last), "truncation")
    except ValueError as error:
        raise StreamError(f"{file.name}: {error}") from error


def _fitted(file: RowFile) -> NamedCurves:
    file.need("correct")
    rows = [each for _, each in file.each(_rollout)]
    tokens, correct, cut = np.array([row[1:] for row in rows]).T
    try:
        found = fit_rollouts([row[0] for row in rows], tokens, correct, cut)
    except ValueError as error:
        raise StreamError(f"{file.name}: {error}") from error
    known = dict(zip(found.queries, found.solved.tolist(), strict=True))
    solved, unsolved = (tuple(query for query in known if known[query] is wanted) for wanted in (True, False))
    return NamedCurves(solved, expected_utility(found.truncation(), found.spread()), "rollouts", unsolved)


def _rollout(row: Row) -> tuple[str, float, float, float]:
    """Query, tokens, whether it was correct, whether it was cut."""
    cut = is_cut(row)
    tokens, correct = tokens_in(row), 0.0 if cut and "correct" not in row.cells else amount_in(row, "correct", 1)
    if not tokens:
        raise CellError(row, "tokens must be above 0, got 0")
    if correct not in (0.0, 1.0):
        raise CellError(row, f"correct must be 0 or 1 for an attempt, got {correct:g}")
    if cut and correct:
        raise CellError(row, "the answer is both cut and correct", "A cut one has no answer.")
    return name_in(row, "query"), tokens, correct, float(cut)
