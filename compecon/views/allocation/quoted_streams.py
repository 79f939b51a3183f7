"""What the paper's draft figure shows of its four streams, quoted, and how far our synthetic ones have its shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, final

import numpy as np
from scipy.stats import spearmanr

from compecon.allocation.streams.bundled_streams import streams_root
from compecon.files.safe_reader import MEGABYTE, read_json
from compecon.views.allocation.rules_compared import FEWEST, RatioPoint

_FILE = "draft_figure.json"
_N = 500  # queries of each of the paper's streams
_METHOD_OFF, _UNIFORM_OFF = 0.1, 0.5  # points by which a reading may be off


@final
@dataclass(frozen=True)
class QuotedRatio:
    """One budget of the draft figure.

    Attributes:
        budget: Tokens a query.
        ratio: Accuracy of the paper's method for each of uniform's.
        low: The least that it could be, given how exactly a figure can be read.
        high: The most.
        method: Accuracy of the method, 0 to 1.
        uniform: Of uniform allocation.
    """

    budget: float
    ratio: float
    low: float
    high: float
    method: float
    uniform: float


@cache
def _quoted() -> dict[str, Any]:
    file = streams_root() / _FILE
    read: dict[str, Any] = read_json(file, MEGABYTE) if file.is_file() else {"streams": {}, "told": ""}
    return read


def quoted_source() -> str:
    """Where the quoted numbers are from, in words."""
    return str(_quoted()["told"])


def quoted_ratios(mixture: str) -> tuple[QuotedRatio, ...]:
    """Ratio to uniform in the draft figure, where uniform has at least five correct answers.

    Args:
        mixture: Name of one of the paper's streams; of another one nothing is quoted.
    """
    read = _quoted()["streams"].get(mixture)
    if read is None:
        return ()
    return tuple(
        QuotedRatio(
            budget,
            method / uniform,
            (method - _METHOD_OFF) / (uniform + _UNIFORM_OFF),
            (method + _METHOD_OFF) / (uniform - _UNIFORM_OFF),
            method / 100,
            uniform / 100,
        )
        for budget, method, uniform in zip(read["budgets"], read["method"], read["uniform"], strict=True)
        if uniform / 100 * _N >= FEWEST
    )


@final
@dataclass(frozen=True)
class Agreement:
    """How far two courses of a ratio agree.

    Attributes:
        n: Budgets that both have.
        factor: Typical factor between the two: the exponential of the mean absolute difference of their logarithms.
        worst: The largest such factor.
        worst_budget: Where that is.
        rank: Spearman's correlation over budgets: whether the ratio falls in the same order.
    """

    n: int
    factor: float
    worst: float
    worst_budget: float
    rank: float


def agreement(ours: Sequence[RatioPoint], quoted: Sequence[QuotedRatio]) -> Agreement | None:
    """Compare at the budgets that both have; None if these are fewer than three.

    Args:
        ours: Of one rule.
        quoted: Of the same stream.
    """
    by_budget = {round(point.mean_budget, 6): point.ratio for point in ours}
    both = [(q.budget, by_budget[round(q.budget, 6)], q.ratio) for q in quoted if round(q.budget, 6) in by_budget]
    if len(both) < 3:
        return None
    budgets, mine, theirs = np.array(both, dtype=np.float64).T
    off = np.abs(np.log(np.maximum(mine, 1e-9) / theirs))
    place = int(off.argmax())
    rank = float(spearmanr(mine, theirs).statistic)
    return Agreement(len(both), float(np.exp(off.mean())), float(np.exp(off[place])), float(budgets[place]), rank)
