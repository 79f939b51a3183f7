"""95% intervals: the percentile bootstrap over rows, and Wilson's interval of a share.

All bootstraps draw the same resamples, so that intervals of the same rows can be compared and come out the same again.

References:
    Efron and Tibshirani (1993), "An Introduction to the Bootstrap"; Wilson (1927), "Probable inference, the law of
    succession, and statistical inference", JASA.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
RESAMPLES = 2000
_PERCENTILES = (2.5, 97.5)
_Z = 1.959963984540054  # the normal quantile of 0.975


class Interval(NamedTuple):
    """An estimate and the ends of its 95% interval: numbers, or arrays of one shape.

    Attributes:
        value: The estimate.
        low: Lower end.
        high: Upper end.

    Examples:
        >>> Interval(value=0.5, low=0.4, high=0.6).high
        0.6
    """

    value: Any
    low: Any
    high: Any


def resampled_rows(n_rows: int, at_once: int = RESAMPLES) -> Iterator[NDArray[np.intp]]:
    """Rows of each resample, drawn with replacement: arrays of shape (resample, row), `RESAMPLES` in all.

    The draws do not depend on the number of resamples `at_once`, which is the most in an array.
    """
    rng = np.random.default_rng(0)
    for done in range(0, RESAMPLES, at_once):
        yield rng.integers(0, n_rows, (min(at_once, RESAMPLES - done), n_rows))


@lru_cache(maxsize=4)
def resample_shares(n_rows: int) -> Floats:
    """Share of each resample that each row makes up, shape (resample, row); its rows sum to 1. Do not change it."""
    counts = np.zeros((RESAMPLES, n_rows))
    for rows in resampled_rows(n_rows):
        np.add.at(counts, (np.arange(RESAMPLES)[:, None], rows), 1.0)
    counts /= n_rows
    return counts


def percentile_ends(resampled: ArrayLike) -> tuple[float, float]:
    """Ends of the interval of a statistic, given its value on each resample, NaN left out; NaN if it has none."""
    values = np.asarray(resampled, dtype=np.float64)
    defined = values[~np.isnan(values)]
    if not len(defined):
        return np.nan, np.nan
    low, high = np.percentile(defined, _PERCENTILES)
    return float(low), float(high)


def bootstrapped(n_rows: int, statistic: Callable[[Floats], Floats]) -> Interval:
    """A statistic of weighted rows, with its interval over other rows of the same kind.

    Args:
        n_rows: Number of rows, at least 1.
        statistic: Function of the weights of the rows, shape (resample, row), each resample's summing to 1, to the
            values of the statistic, shape (resample,).

    Returns:
        The statistic at equal weights, and the 2.5% and 97.5% percentiles of its 2,000 resamples.

    Examples:
        >>> x = np.arange(10.0)
        >>> found = bootstrapped(10, lambda weights: np.sqrt(weights @ x**2))
        >>> found.low < found.value < found.high
        True
    """
    return Interval(
        float(statistic(np.full((1, n_rows), 1.0 / n_rows))[0]), *percentile_ends(statistic(resample_shares(n_rows)))
    )


def mean_interval(values: Floats) -> Interval:
    """Mean with its interval. Paired differences of two methods give the interval of their difference.

    Args:
        values: Shape (row,), at least one.

    Returns:
        The mean, and the 2.5% and 97.5% percentiles of its 2,000 resamples.

    Examples:
        >>> value, low, high = mean_interval(np.arange(100.0))
        >>> value, low < 49.5 < high
        (49.5, True)
    """
    return bootstrapped(len(values), lambda weights: weights @ values)


def wilson(n_right: ArrayLike, n: ArrayLike) -> Interval:
    """A share with Wilson's interval, which stays within [0, 1] and is not empty when all outcomes agree.

    Args:
        n_right: Successes, at least 0 and at most `n`; a number or an array.
        n: Trials, likewise. Without any, the share is 0 and the interval [0, 1].

    Returns:
        The share and its interval, of the shape of both.

    Examples:
        >>> share, low, high = wilson(8, 10)
        >>> float(share), round(float(low), 3), round(float(high), 3)
        (0.8, 0.49, 0.943)
    """
    trials = np.asarray(n)
    known, trials = trials > 0, np.maximum(trials, 1)
    share = np.asarray(n_right) / trials
    middle = (share + _Z**2 / (2 * trials)) / (1 + _Z**2 / trials)
    half = _Z / (1 + _Z**2 / trials) * np.sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    low, high = np.minimum(middle - half, share).clip(0.0), np.maximum(middle + half, share).clip(None, 1.0)
    return Interval(share, np.where(known, low, 0.0), np.where(known, high, 1.0))
