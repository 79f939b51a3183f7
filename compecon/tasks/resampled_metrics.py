"""What each metric computes, of many resamples at once, along the last axis: (..., row) and (..., row) to (...).

The leading axes of both sides broadcast against each other. `task_metrics` adds name, direction and interval.
"""

from __future__ import annotations

import numpy as np


def share_right(predicted: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Share of rows whose predicted class is the wanted one, in [0, 1]."""
    return np.asarray((predicted == wanted).mean(axis=-1))


def matthews_coefficient(predicted: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Correlation of the classes, in [-1, 1]; 0 where one side is constant, as nothing was told apart.

    With two classes it is Pearson's correlation of zeros and ones.

    References:
        Gorodkin (2004), "Comparing two K-category assignments by a K-category correlation coefficient".
    """
    n, classes = wanted.shape[-1], range(int(max(predicted.max(), wanted.max())) + 1)
    counts = [((predicted == k).sum(axis=-1), (wanted == k).sum(axis=-1)) for k in classes]
    by_chance = sum(given * true for given, true in counts)
    given_apart, true_apart = (n**2 - sum(count[side] ** 2 for count in counts) for side in (0, 1))
    right = (predicted == wanted).sum(axis=-1)
    return _over(right * n - by_chance, np.sqrt(given_apart * true_apart.astype(float)))


def f1_of_class_1(predicted: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Harmonic mean of precision and recall of class 1, in [0, 1]; 0 where class 1 is neither wanted nor predicted."""
    given, true = predicted == 1, wanted == 1
    return _over(2 * (given & true).sum(axis=-1), given.sum(axis=-1) + true.sum(axis=-1))


def correlation(predicted: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Pearson's correlation, in [-1, 1]; NaN where one side is constant."""
    one, two = (side - side.mean(axis=-1, keepdims=True) for side in (predicted, wanted))
    spread = np.sqrt((one**2).sum(axis=-1) * (two**2).sum(axis=-1))
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN, as it should be
        ratio: np.ndarray = np.clip((one * two).sum(axis=-1) / spread, -1, 1)  # rounding may end outside
    return ratio


def rank_correlation(predicted: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Spearman's correlation, ties at their mean rank, in [-1, 1]; NaN where one side is constant."""
    from scipy.stats import rankdata  # noqa: PLC0415 - takes a second, and listing the tasks needs none of it

    return correlation(rankdata(predicted, axis=-1), rankdata(wanted, axis=-1))


def exponential_mean(nats: np.ndarray, units: np.ndarray) -> np.ndarray:
    """exp(all nats / all units)."""
    return np.asarray(np.exp(nats.sum(axis=-1) / units.sum(axis=-1)))


def _over(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Their ratio, 0 where the whole is 0."""
    part, whole = np.broadcast_arrays(part, whole)
    return np.asarray(np.divide(part, whole, out=np.zeros(whole.shape), where=whole > 0))
