"""Task metrics, each with its bootstrap interval, and the interval of the difference between two models.

>>> accuracy([0, 1, 1, 1], [0, 1, 0, 1]).value
0.75
>>> paired(accuracy, [0, 1, 1, 1], [0, 1, 0, 1], [0, 1, 0, 1]).value
0.25
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from compecon.stats.intervals import percentile_ends, resampled_rows
from compecon.tasks import resampled_metrics as statistics

_NUMBERS = 2_000_000  # resampled at a time, at most: bounds the memory


@final
@dataclass(frozen=True)
class Estimate:
    """A metric on a sample, and where it may lie in the population.

    Attributes:
        value: The metric on the sample.
        low: Lower end of the 95% percentile-bootstrap interval.
        high: Upper end.
        n: Number of units that were resampled: rows, or documents for a perplexity.

    Example:
        >>> print(Estimate(0.75, 0.25, 1.0, n=4))
        0.75 [0.25, 1] (n=4)
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}] (n={self.n})"


def _anything(_predictions: np.ndarray, _targets: np.ndarray) -> None:
    """No demand on the columns."""


@final
@dataclass(frozen=True)
class Metric:
    """A number that says how well a model did; call it to get the number with its interval.

    Predictions may come from several trainings of one model: their metrics are averaged, and the interval is that of
    the average over other rows, not over other trainings.

    Attributes:
        name: As people call it.
        statistic: Predictions (..., row) and targets (..., row) to (...), for many resamples at once.
        higher_is_better: Direction.
        scale: What people multiply it by: 100 for points, 1 if it is read as it is.
        check: Raises ValueError for columns it is not defined on.

    Example:
        >>> error = Metric("error", lambda predicted, wanted: abs(predicted - wanted).mean(axis=-1), False, scale=1)
        >>> error([1.0, 2.0], [1.0, 3.0]).value
        0.5
    """

    name: str
    statistic: Callable[[np.ndarray, np.ndarray], np.ndarray]
    higher_is_better: bool = True
    scale: float = 100
    check: Callable[[np.ndarray, np.ndarray], None] = _anything

    def __call__(self, predictions: ArrayLike, targets: ArrayLike) -> Estimate:
        """The metric of predictions, and its interval from 2,000 resamples of the rows, the same every time.

        Resamples on which the metric is undefined (NaN) are left out; a metric undefined on the rows is NaN throughout.

        Args:
            predictions: Shape (row,) or (seed, row): class indices, scores, or nats of a document.
            targets: Shape (row,): class indices, scores, or how many units share the nats of a document.

        Raises:
            ValueError: If the lengths differ, there are fewer than two rows, or the metric is not defined on them.
        """
        predicted, wanted = self._columns(predictions, targets)
        return _bootstrap(lambda rows: self._mean(predicted, wanted, rows), len(wanted), len(predicted))

    def shown(self, estimate: Estimate) -> str:
        """An estimate of this metric, or of a difference in it, as people read it: in points where it has points."""
        value, low, high = (number * self.scale for number in (estimate.value, estimate.low, estimate.high))
        ends = f" [{low:.4g}, {high:.4g}]" if low < high else ""  # rows that are all alike tell of no spread
        return f"{value:.4g}{ends} (n={estimate.n})"

    def _columns(self, predictions: ArrayLike, targets: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        predicted, wanted = np.asarray(predictions, dtype=float), np.asarray(targets, dtype=float)
        if wanted.ndim != 1 or len(wanted) < 2 or predicted.ndim not in (1, 2) or predicted.shape[-1] != len(wanted):
            raise ValueError(
                "targets must be one-dimensional, at least 2, and predictions equally long, one row or one a seed; "
                f"got {predicted.shape} and {wanted.shape}."
            )
        if not predicted.size:
            raise ValueError(f"predictions need at least one seed, got shape {predicted.shape}.")
        self.check(predicted, wanted)
        return np.atleast_2d(predicted), wanted

    def _mean(self, predicted: np.ndarray, wanted: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Over the seeds, on the rows of each resample: shape (resample,) for rows of shape (resample, row)."""
        mean: np.ndarray = self.statistic(predicted[:, rows], wanted[rows]).mean(axis=0)
        return mean


def paired(metric: Metric, predictions_a: ArrayLike, predictions_b: ArrayLike, targets: ArrayLike) -> Estimate:
    """How much larger the metric of b is than that of a, on the same rows.

    Rows are resampled for both together, so what both find hard cancels out; the resamples are the same every time.

    Args:
        metric: The metric; the difference is b - a whatever its direction.
        predictions_a: Shape (row,) or (seed, row); seeds are averaged, and may be more or fewer than those of b.
        predictions_b: Likewise.
        targets: Shape (row,).

    Raises:
        ValueError: As the metric itself.

    References:
        Efron and Tibshirani (1993), "An introduction to the bootstrap"; Koehn (2004), "Statistical significance tests
        for machine translation evaluation", EMNLP.
    """
    (one, wanted), (two, _) = (metric._columns(side, targets) for side in (predictions_a, predictions_b))

    def difference(rows: np.ndarray) -> np.ndarray:
        larger: np.ndarray = metric._mean(two, wanted, rows) - metric._mean(one, wanted, rows)
        return larger

    return _bootstrap(difference, len(wanted), max(len(one), len(two)))


def _bootstrap(of_rows: Callable[[np.ndarray], np.ndarray], n: int, copies: int) -> Estimate:
    """Percentile bootstrap of a statistic of row indices, shape (resample, row) to (resample,)."""
    value = float(of_rows(np.arange(n)[None])[0])
    if np.isnan(value):
        return Estimate(value, value, value, n)
    at_once = max(1, min(100, _NUMBERS // (n * copies)))
    resampled = np.concatenate([of_rows(rows) for rows in resampled_rows(n, at_once)])
    return Estimate(value, *percentile_ends(resampled), n)


def _two_classes(predictions: np.ndarray, targets: np.ndarray) -> None:
    if not (np.isin(predictions, (0, 1)).all() and np.isin(targets, (0, 1)).all()):
        raise ValueError("F1 here is of class 1 of two, got other classes than 0 and 1. Use accuracy or matthews.")


def _some_units(_nats: np.ndarray, units: np.ndarray) -> None:
    if (units <= 0).any():
        raise ValueError("every document needs at least one unit, got one without. Leave it out.")


accuracy = Metric("accuracy", statistics.share_right)
"""Share of rows whose predicted class is the target; both are class indices."""

matthews = Metric("matthews", statistics.matthews_coefficient)
"""Matthews' correlation coefficient of class indices, of two or more classes; 0 where one side is constant."""

f1 = Metric("f1", statistics.f1_of_class_1, check=_two_classes)
"""F1 of class 1 of two: what it means is the task's choice of the order of its classes."""

pearson = Metric("pearson", statistics.correlation)
"""Pearson's correlation of scores in any units; NaN where one side is constant."""

spearman = Metric("spearman", statistics.rank_correlation)
"""Spearman's rank correlation of scores, ties at their mean rank; NaN where one side is constant."""

perplexity = Metric("perplexity", statistics.exponential_mean, higher_is_better=False, scale=1, check=_some_units)
"""exp(nats / units) over documents, which are what is resampled, for neighbouring words are not independent.

Its columns are the negative log-likelihood of each document in nats, and what it is shared by: predicted tokens, or
words for a word-level perplexity.
"""
