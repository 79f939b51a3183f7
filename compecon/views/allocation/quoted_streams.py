"""What the paper's draft figure shows for its four streams, quoted, and how closely our synthetic ones follow it."""

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
    """One budget of the draft figure."""

    budget: float  # tokens per query
    ratio: float  # accuracy of the paper's method relative to uniform's
    low: float  # the least that it could be, given how exactly a figure can be read
    high: float  # the most
    method: float  # accuracy of the method, 0 to 1
    uniform: float  # of uniform allocation


@cache
def _quoted() -> dict[str, Any]:
    file = streams_root() / _FILE
    read: dict[str, Any] = read_json(file, MEGABYTE) if file.is_file() else {"streams": {}, "told": ""}
    return read


def quoted_source() -> str:
    """Where the quoted numbers are from, in words."""
    return str(_quoted()["told"])


def quoted_ratios(mixture: str) -> tuple[QuotedRatio, ...]:
    """Ratio to uniform in the draft figure where uniform has at least five correct answers; none for other mixtures."""
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
    """How far two courses of a ratio agree."""

    n: int  # budgets that both have
    factor: float  # typical factor between the two: the exponential of the mean absolute difference of their logarithms
    worst: float  # the largest such factor
    worst_budget: float  # where that is
    rank: float  # Spearman's correlation over budgets: whether the ratio falls in the same order


def agreement(ours: Sequence[RatioPoint], quoted: Sequence[QuotedRatio]) -> Agreement | None:
    """Compare a rule with the quoted ratios at the budgets that both have; None if these are fewer than three."""
    by_budget = {round(point.mean_budget, 6): point.ratio for point in ours}
    both = [(q.budget, by_budget[round(q.budget, 6)], q.ratio) for q in quoted if round(q.budget, 6) in by_budget]
    if len(both) < 3:
        return None
    budgets, mine, theirs = np.array(both, dtype=np.float64).T
    off = np.abs(np.log(np.maximum(mine, 1e-9) / theirs))
    place = int(off.argmax())
    rank = float(spearmanr(mine, theirs).statistic)
    return Agreement(len(both), float(np.exp(off.mean())), float(np.exp(off[place])), float(budgets[place]), rank)
