"""Intervals of differences between outcomes of the same queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

N_DRAWS = 2000


class Difference(NamedTuple):
    """A mean, and its 95 % bootstrap interval over queries."""

    value: float
    low: float
    high: float


def paired(differences: NDArray[np.float64], *, seed: int = 0) -> Difference:
    """Mean of a difference a query, such as between the outcomes of two rules.

    Args:
        differences: Shape (query,), at least one.
        seed: Of the draws.
    """
    return bootstrapped(len(differences), lambda counts: counts @ differences / len(differences), seed=seed)


def bootstrapped(
    n: int, statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]], *, seed: int = 0
) -> Difference:
    """A statistic of weighted queries, and its 95 % percentile interval when queries are drawn with replacement.

    Args:
        n: How many queries.
        statistic: Takes how often each query was drawn, shape (draw, query), and gives shape (draw,).
        seed: Of the draws.
    """
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), size=N_DRAWS).astype(np.float64)
    low, high = np.nanpercentile(statistic(counts), [2.5, 97.5])
    return Difference(float(statistic(np.ones((1, n)))[0]), float(low), float(high))
