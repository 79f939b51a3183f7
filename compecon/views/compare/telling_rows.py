"""Rows of a task that tell two checkpoints apart: most and least unequal, decided differently, first to flip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from compecon.evaluation.row_records import MOVED, RowStatistics
from compecon.evaluation.row_store import Text

LISTED = 20
LISTS = {
    "most-a": "most unequal in A",
    "least-a": "least unequal in A",
    "most-b": "most unequal in B",
    "least-b": "least unequal in B",
    "disagree": "A and B disagree",
    "flip-a": "change first in A",
    "flip-b": "change first in B",
}


@final
@dataclass(frozen=True)
class ListedRow:
    """A row of the task in both checkpoints."""

    row: int  # its place in the split, from 0
    text: str  # the text; "" where it is not at hand
    pair: str  # the second text of a pair, or ""
    tokens: int  # tokens of the text, by A's tokenizer
    target: str  # the right answer
    said_a: str  # A's answer with all keys
    said_b: str  # B's
    gini_a: float  # mean Gini over A's heads, with all keys
    gini_b: float  # B's
    flip_a: int  # largest budget, in keys, at which A's decision changes; 0 for never
    flip_b: int  # B's


def listed_rows(a: RowStatistics, b: RowStatistics, which: str, texts: Sequence[Text] = ()) -> tuple[ListedRow, ...]:
    """The rows of one list, at most `LISTED`.

    Args:
        a: Of one checkpoint.
        b: Of another one, on the same rows.
        which: One of `LISTS`.
        texts: Of the rows, in their order; empty where they are not at hand.
    """
    return tuple(_row(a, b, place, texts) for place in _places(a, b, which)[:LISTED].tolist())


def disagreements(a: RowStatistics, b: RowStatistics) -> NDArray[np.bool_]:
    """Rows that the two decide differently with all keys, bool, shape (row,); scores by more than `MOVED`."""
    return np.asarray(_apart(a, b) > (MOVED if a.is_score else 0))


def _apart(a: RowStatistics, b: RowStatistics) -> NDArray[np.float64]:
    return np.asarray(np.abs(a.predictions[0] - b.predictions[0]))


def _places(a: RowStatistics, b: RowStatistics, which: str) -> NDArray[np.intp]:
    """Places of the rows of a list, in its order."""
    order, _, side = which.partition("-")
    one = b if side == "b" else a
    if order == "disagree":
        found = _by(_apart(a, b) if a.is_score else np.abs(a.gini[0] - b.gini[0]))
        return found[disagreements(a, b)[found]]
    if order == "flip":
        found = _by(one.flips)
        return found[one.flips[found] > 0]
    return _by(one.gini[0] if order == "most" else -one.gini[0])


def _by(merit: NDArray[Any]) -> NDArray[np.intp]:
    return np.argsort(-merit, kind="stable")


def _row(a: RowStatistics, b: RowStatistics, place: int, texts: Sequence[Text]) -> ListedRow:
    text, pair = texts[place] if place < len(texts) else ("", "")
    return ListedRow(
        row=a.rows[place],
        text=text,
        pair=pair,
        tokens=a.n_tokens[place],
        target=_said(a, a.targets[place]),
        said_a=_said(a, a.predictions[0, place]),
        said_b=_said(b, b.predictions[0, place]),
        gini_a=float(a.gini[0, place]),
        gini_b=float(b.gini[0, place]),
        flip_a=int(a.flips[place]),
        flip_b=int(b.flips[place]),
    )


def _said(one: RowStatistics, value: float) -> str:
    if one.is_score:
        return f"{value:.2f}"
    place = int(value)
    return one.labels[place] if 0 <= place < len(one.labels) else str(place)
