"""Two checkpoints head by head on the same rows: which heads survived, and which of them changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from compecon.evaluation.row_records import RowStatistics
from compecon.views.compare.resamples import Band, band, mean_bands, means

Statistic = Literal["gini", "entropy"]
_KINDS: tuple[Statistic, ...] = ("gini", "entropy")
_NO_SHIFT = 1e-6


@final
@dataclass(frozen=True)
class Selection:
    """How much of a difference comes from which heads survived, and how much from changed attention; with all keys."""

    statistic: Statistic  # "gini", or "entropy" in nats
    everything: Band  # all heads of A
    survivors: Band  # those of A's heads that B still has
    other: Band
    # Share of the way from `everything` to `other` that `survivors` covers; below 0 or above 1 where survivors go the
    # other way or further. None where nothing differs; without an interval where the difference is not significant.
    selected: Band | None


@final
@dataclass(frozen=True)
class HeadRow:
    """One head, at its place in the dense model: of A, of B, and A - B; empty where one has no such head.

    Numbers are means over rows with all keys, of entropy in nats; layers and heads count from 0.
    """

    layer: int
    head: int
    gini_a: float | None
    gini_b: float | None
    gini: Band
    entropy_a: float | None
    entropy_b: float | None
    entropy: Band


def selection(a: RowStatistics, b: RowStatistics, statistic: Statistic) -> Selection:
    """How much of the difference comes from which heads survived; both have the same shape of heads."""
    cells: np.ndarray = getattr(a, f"cell_{statistic}")
    both = a.kept & b.kept
    everything, other = getattr(a, statistic)[0], getattr(b, statistic)[0]
    # Rows are rounded to more digits than their cells: where all heads survive, nothing may differ.
    survivors = everything if both.sum() == a.kept.sum() else _mean_of(cells[:, both])
    value, drawn = means(np.stack([everything, survivors, other], axis=1))
    selected = None
    if np.isfinite(value).all() and abs(shift := value[2] - value[0]) > _NO_SHIFT:
        ways = drawn[:, 2] - drawn[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            found = band(float((value[1] - value[0]) / shift), (drawn[:, 1] - drawn[:, 0]) / ways)
        selected = found if band(float(shift), ways).excludes_zero else Band(found.value)
    at_first, kept, at_last = (band(float(value[place]), drawn[:, place]) for place in range(3))
    return Selection(statistic, at_first, kept, at_last, selected)


def heads(a: RowStatistics, b: RowStatistics) -> tuple[HeadRow, ...]:
    """Every head that one of them has."""
    either, both = np.argwhere(a.kept | b.kept), a.kept & b.kept
    apart = {
        name: dict(zip(map(tuple, np.argwhere(both).tolist()), _apart(a, b, name), strict=True)) for name in _KINDS
    }
    rows = []
    for layer, head in either.tolist():
        of_gini, of_entropy = (tuple(_number(one, name, layer, head) for one in (a, b)) for name in _KINDS)
        gini, entropy = (apart[name].get((layer, head), Band(None)) for name in _KINDS)
        rows.append(HeadRow(layer, head, of_gini[0], of_gini[1], gini, of_entropy[0], of_entropy[1], entropy))
    return tuple(rows)


def _mean_of(cells: np.ndarray) -> np.ndarray:
    """Over heads, shape (row, head) to (row,); NaN without heads."""
    if not cells.shape[1]:
        return np.full(len(cells), np.nan)
    found: np.ndarray = np.nanmean(cells, axis=1)
    return found


def _apart(a: RowStatistics, b: RowStatistics, statistic: Statistic) -> tuple[Band, ...]:
    """A - B of each head that both have."""
    both = a.kept & b.kept
    if not both.any():
        return ()
    one, other = (getattr(each, f"cell_{statistic}")[:, both] for each in (a, b))
    return mean_bands(np.nan_to_num(one - other))


def _number(one: RowStatistics, statistic: Statistic, layer: int, head: int) -> float | None:
    value = float(getattr(one, f"head_{statistic}")[0, layer, head])
    return value if np.isfinite(value) else None
