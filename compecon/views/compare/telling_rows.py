"""Rows of a task that tell two checkpoints apart: most and least unequal, decided differently, first to flip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from compecon.evaluation.row_records import MOVED, RowStatistics
from compecon.evaluation.row_store import Text

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
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
    """A row of the task in both checkpoints.

    Attributes:
        row: Its place in the split, from 0.
        text: The text; "" where it is not at hand.
        pair: The second text of a pair, or "".
        tokens: Tokens of the text, by A's tokenizer.
        target: What is right.
        said_a: What A says with all keys.
        said_b: What B says.
        gini_a: Mean Gini over A's heads, with all keys.
        gini_b: B's.
        entropy_a: Mean entropy over A's heads, in nats.
        entropy_b: B's.
        flip_a: Keys at which A's decision is first another one; 0 for never.
        flip_b: Likewise B's.
    """

    row: int
    text: str
    pair: str
    tokens: int
    target: str
    said_a: str
    said_b: str
    gini_a: float
    gini_b: float
    entropy_a: float
    entropy_b: float
    flip_a: int
    flip_b: int


def listed_rows(a: RowStatistics, b: RowStatistics, which: str, texts: Sequence[Text] = ()) -> tuple[ListedRow, ...]:
    """The rows of one list, at most `LISTED`.

    Args:
        a: Of one checkpoint.
        b: Of another one, on the same rows.
        which: One of `LISTS`.
        texts: Of the rows, in their order; empty where they are not at hand.

    Raises:
        KeyError: If there is no such list.
    """
    places = _ORDERS[which](a, b)[:LISTED]
    return tuple(_row(a, b, int(place), texts) for place in places)


def disagreements(a: RowStatistics, b: RowStatistics) -> NDArray[np.bool_]:
    """Rows that the two decide differently with all keys, bool, shape (row,); scores by more than `MOVED`."""
    apart: NDArray[np.bool_] = _apart(a, b) > (MOVED if a.is_score else 0)
    return apart


def _apart(a: RowStatistics, b: RowStatistics) -> Floats:
    apart: Floats = np.abs(a.predictions[0] - b.predictions[0])
    return apart


def _by(merit: NDArray[Any]) -> Places:
    return np.argsort(-merit, kind="stable")


def _disagree(a: RowStatistics, b: RowStatistics) -> Places:
    merit = _apart(a, b) if a.is_score else np.abs(a.gini[0] - b.gini[0])
    order = _by(merit)
    kept: Places = order[disagreements(a, b)[order]]
    return kept


def _first_to_flip(one: RowStatistics) -> Places:
    order = _by(one.flips)
    kept: Places = order[one.flips[order] > 0]
    return kept


_ORDERS: Mapping[str, Callable[[RowStatistics, RowStatistics], Places]] = {
    "most-a": lambda a, _b: _by(a.gini[0]),
    "least-a": lambda a, _b: _by(-a.gini[0]),
    "most-b": lambda _a, b: _by(b.gini[0]),
    "least-b": lambda _a, b: _by(-b.gini[0]),
    "disagree": _disagree,
    "flip-a": lambda a, _b: _first_to_flip(a),
    "flip-b": lambda _a, b: _first_to_flip(b),
}


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
        entropy_a=float(a.entropy[0, place]),
        entropy_b=float(b.entropy[0, place]),
        flip_a=int(a.flips[place]),
        flip_b=int(b.flips[place]),
    )


def _said(one: RowStatistics, value: float) -> str:
    if one.is_score:
        return f"{value:.2f}"
    place = int(value)
    return one.labels[place] if 0 <= place < len(one.labels) else str(place)
