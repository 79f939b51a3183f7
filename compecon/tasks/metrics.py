"""Task metrics, each with its bootstrap interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

_RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A metric on a sample, and where it may lie in the population.

    Attributes:
        value: The metric on the sample.
        low: Lower end of the 95 % percentile-bootstrap interval.
        high: Upper end.
        n: Number of units that were resampled: rows, or documents for a perplexity.
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}] (n={self.n})"


def accuracy(predictions: ArrayLike, targets: ArrayLike) -> Estimate:
    """Share of rows whose predicted class is the target.

    Args:
        predictions: Shape (row,), class indices.
        targets: Shape (row,), class indices.

    Raises:
        ValueError: If the shapes differ or there are fewer than two rows.
    """
    predicted, wanted = _columns(predictions, targets)
    return _estimate(lambda right, axis: right.mean(axis=axis), (predicted == wanted).astype(float))


def spearman(predictions: ArrayLike, targets: ArrayLike) -> Estimate:
    """Spearman rank correlation, ties at their mean rank; NaN where one side is constant.

    Args:
        predictions: Shape (row,), scores in any unit.
        targets: Shape (row,), scores.

    Raises:
        ValueError: If the shapes differ or there are fewer than two rows.
    """
    return _estimate(_rank_correlation, *_columns(predictions, targets))


def perplexity(nats: ArrayLike, units: ArrayLike) -> Estimate:
    """exp(nats / units) over documents; documents are resampled, for neighbouring words are not independent.

    Args:
        nats: Shape (document,), negative log-likelihood of each document, in nats.
        units: Shape (document,), what it is shared by: predicted tokens, or words for a word-level perplexity.

    Raises:
        ValueError: If the shapes differ, there are fewer than two documents, or one holds no unit.
    """
    total, count = _columns(nats, units)
    if (count <= 0).any():
        raise ValueError("every document needs at least one unit, got one without. Leave it out.")
    return _estimate(lambda n, u, axis: np.exp(n.sum(axis=axis) / u.sum(axis=axis)), total, count)


def _columns(first: ArrayLike, second: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    one, two = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if one.shape != two.shape or one.ndim != 1 or len(one) < 2:
        raise ValueError(f"both must be one-dimensional, equally long, at least 2, got {one.shape} and {two.shape}.")
    return one, two


def _estimate(statistic: Callable[..., np.ndarray], *columns: np.ndarray) -> Estimate:
    value = float(statistic(*columns, axis=-1))
    interval = stats.bootstrap(
        columns,
        statistic,
        n_resamples=_RESAMPLES,
        batch=100,  # bounds the memory of resampled copies
        vectorized=True,
        paired=True,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return Estimate(value, float(interval.low), float(interval.high), len(columns[0]))


def _rank_correlation(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
    one, two = (stats.rankdata(column, axis=axis) for column in (first, second))
    one, two = (ranks - ranks.mean(axis=axis, keepdims=True) for ranks in (one, two))
    with np.errstate(invalid="ignore"):  # a constant side has no correlation: 0 / 0 is NaN, as it should be
        correlation: np.ndarray = (one * two).sum(axis=axis) / np.sqrt(
            (one**2).sum(axis=axis) * (two**2).sum(axis=axis)
        )
    return correlation
