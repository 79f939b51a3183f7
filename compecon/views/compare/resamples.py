"""How far a mean over rows may be off: percentile bootstrap, the same resamples for everything that is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from compecon.stats.intervals import RESAMPLES, Floats, percentile_ends, resample_shares


@final
@dataclass(frozen=True)
class Band:
    """A number with the 95% interval of it over other rows of the same kind."""

    value: float | None  # on the rows at hand; None where it is not defined
    low: float | None = None  # lower end; None where there is no interval
    high: float | None = None  # upper end

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval is on one side of 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def means(rows: Floats) -> tuple[Floats, Floats]:
    """Means over the first axis: on the rows, shape (...), and on each resample, shape (resample, ...)."""
    flat = rows.reshape(len(rows), -1)
    drawn = resample_shares(len(rows)) @ flat
    return rows.mean(axis=0), drawn.reshape(RESAMPLES, *rows.shape[1:])


def mean_bands(rows: Floats) -> tuple[Band, ...]:
    """Mean of each column of shape (row, column)."""
    values, drawn = means(rows)
    return tuple(band(float(values[place]), drawn[:, place]) for place in range(len(values)))


def band(value: float, drawn: Floats) -> Band:
    """A number with the ends of its resamples; those that are not finite are left out."""
    if not np.isfinite(value):
        return Band(None)
    low, high = percentile_ends(drawn[np.isfinite(drawn)])
    return Band(float(value)) if np.isnan(low) else Band(float(value), low, high)


def correlations(x: Floats, y: Floats, *, of_ranks: bool) -> tuple[float, Floats]:
    """Correlation of two columns: on the rows, and on each resample, shape (resample,); NaN where one is constant.

    Ranks are taken anew in each resample, ties at their mean rank. What is sorted is only the rows, once: a resample
    says how often each of them counts.

    Args:
        x: Shape (row,).
        y: Shape (row,).
        of_ranks: Spearman's; else Pearson's.
    """
    weights = resample_shares(len(x))
    step = max(1, _NUMBERS // len(x))
    parts = [_correlations(x, y, weights[at : at + step], of_ranks=of_ranks) for at in range(0, RESAMPLES, step)]
    [value] = _correlations(x, y, np.full((1, len(x)), 1 / len(x)), of_ranks=of_ranks).tolist()
    return value, np.concatenate(parts)


_NUMBERS = 500_000  # worked on at a time: bounds the memory
_NO_SPREAD = 1e-24


def _correlations(x: Floats, y: Floats, weights: Floats, *, of_ranks: bool) -> Floats:
    both = [_ranks(side, weights) if of_ranks else np.broadcast_to(side, weights.shape) for side in (x, y)]
    one, other = (side - (weights * side).sum(axis=1, keepdims=True) for side in both)
    spread = (weights * one**2).sum(axis=1) * (weights * other**2).sum(axis=1)
    found: Floats = (weights * one * other).sum(axis=1) / np.sqrt(np.where(spread > _NO_SPREAD, spread, np.nan))
    return found


def _ranks(values: Floats, weights: Floats) -> Floats:
    """Share of a resample below each row, and half of what ties with it: ranks but for scale; shape of weights."""
    _, first, group = np.unique(values[order := np.argsort(values)], return_index=True, return_inverse=True)
    by_group = np.add.reduceat(weights[:, order], first, axis=1)
    below = np.cumsum(by_group, axis=1) - by_group / 2
    ranks = np.empty_like(weights)
    ranks[:, order] = below[:, group]
    return ranks
