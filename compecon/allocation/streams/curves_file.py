"""Curves from a file: measured ones, or the parameters of a formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from compecon.allocation.streams.row_files import name_in, need, number_in, read_rows
from compecon.allocation.streams.stream import read_stream
from compecon.allocation.utilities.arrays import Numbers
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


def read_curves(path: Path) -> NamedCurves:
    """Curves from a CSV or JSON Lines file, of the kind that its columns imply.

    - ``query, budget, correct``: measured, as `read_stream`;
    - ``query, threshold, slope, decay``: `ShiftedSurge`;
    - ``query, threshold, decay, ceiling``: `Truncation`;
    - ``query, tokens, correct`` and optionally ``cut``, a row for each attempt: curves fitted to these rollouts,
      averaged over the error of each fitted threshold (`fit_rollouts`, `expected_utility`).

    Raises:
        StreamError: If the file cannot be read, a column is missing, a number is of the wrong sign, or an id
            occurs twice.
    """
    rows = read_rows(path)
    if "tokens" in rows[0].cells and "budget" not in rows[0].cells:
        return _fitted(rows, path.name)
    if "threshold" not in rows[0].cells:
        stream = read_stream(path)
        return NamedCurves(stream.queries, stream.curves(), "measured")
    if ("slope" in rows[0].cells) == ("ceiling" in rows[0].cells):
        raise StreamError(f"{path.name} must have either slope or ceiling beside threshold and decay.")
    third = "slope" if "slope" in rows[0].cells else "ceiling"
    need(rows, ("query", "threshold", "decay"), path.name)
    queries = tuple(name_in(row, "query") for row in rows)
    if len(set(queries)) < len(queries):
        raise StreamError(f"{path.name} has a query twice. Give each an id of its own.")
    threshold, decay, last = (_column(rows, column) for column in ("threshold", "decay", third))
    try:
        if third == "slope":
            return NamedCurves(queries, ShiftedSurge(threshold, last, decay), "surge")
        return NamedCurves(queries, Truncation(threshold, decay, last), "truncation")
    except ValueError as error:
        raise StreamError(f"{path.name}: {error}") from error


def _fitted(rows: Sequence[Row], name: str) -> NamedCurves:
    need(rows, ("correct",), name)
    queries = [name_in(row, "query") for row in rows]
    cut = _column(rows, "cut") if "cut" in rows[0].cells else None
    try:
        found = fit_rollouts(queries, _column(rows, "tokens"), _column(rows, "correct"), cut)
    except ValueError as error:
        raise StreamError(f"{name}: {error}") from error
    known = dict(zip(found.queries, found.solved.tolist(), strict=True))
    solved, unsolved = (tuple(query for query in known if known[query] is wanted) for wanted in (True, False))
    return NamedCurves(solved, expected_utility(found.truncation(), found.spread()), "rollouts", unsolved)


def _column(rows: Sequence[Row], column: str) -> Numbers:
    return np.array([number_in(row, column) for row in rows])
