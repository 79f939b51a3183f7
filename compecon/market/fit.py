"""Curves from rollouts: several attempts a query, each with its length and whether it was correct.

Ours; how the paper fits its curves is not known. The model: a query is answered correctly with chance ``ceiling``, and
a correct answer is as long as the threshold plus a Gamma variable of shape 2 and rate ``decay``. One decay is shared by
all queries, as in the paper; a threshold and a ceiling are each query's own. The likelihood then falls into parts:

- the ceiling is the share of correct attempts;
- given the decay, the log-likelihood of a threshold, sum of log(L - t) + decay * n * t, is concave, with one root of
  its derivative below the shortest correct answer;
- the decay has the largest profile likelihood.

Attempts should not be cut by a cap: one that was counts as wrong, and pulls the ceiling down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, minimize_scalar

from compecon.market.arrays import Mask, Numbers, numbers
from compecon.market.surge import ShiftedSurge
from compecon.market.truncation import Truncation

_DROP = 1.920729410347062  # of the log-likelihood at the ends of a 95 % interval: half of the chi-square quantile
_Z = 1.959963984540054
_HALVINGS = 80


class Interval(NamedTuple):
    """An estimate and its 95 % interval, each of shape (query,), or single numbers."""

    value: Any
    low: Any
    high: Any


@final
@dataclass(frozen=True, eq=False)
class FittedCurves:
    """What rollouts say of each query.

    Attributes:
        queries: Ids, in the order of their first rollout.
        threshold: With its profile likelihood interval at the fitted decay, shape (query,); NaN without correct answer.
        ceiling: With Wilson's interval, shape (query,).
        decay: Shared, with its profile likelihood interval.
        n_rollouts: Shape (query,).
    """

    queries: tuple[str, ...]
    threshold: Interval
    ceiling: Interval
    decay: Interval
    n_rollouts: NDArray[np.intp]

    @property
    def solved(self) -> Mask:
        """Which queries were solved at least once: only these have curves, shape (query,)."""
        return np.asarray(np.isfinite(self.threshold.value))

    def truncation(self) -> Truncation:
        """Chances of a correct answer within a cap, for the solved queries."""
        known = self.solved
        return Truncation(self.threshold.value[known], np.array(self.decay.value), self.ceiling.value[known])

    def surge(self) -> ShiftedSurge:
        """Density of correct answers over their length, for the solved queries: the paper's curve, in 1 / token.

        Its slope is ``ceiling * decay ** 2``, which here is not shared.
        """
        known = self.solved
        slope = self.ceiling.value[known] * self.decay.value**2
        return ShiftedSurge(self.threshold.value[known], slope, np.array(self.decay.value))

    def spread(self) -> Numbers:
        """Standard errors of the solved queries' thresholds, from the width of their intervals, in tokens."""
        known = self.solved
        return np.asarray((self.threshold.high - self.threshold.low)[known] / (2 * _Z))


def fit_rollouts(queries: tuple[str, ...] | list[str], tokens: ArrayLike, correct: ArrayLike) -> FittedCurves:
    """Maximum likelihood.

    Args:
        queries: Id of each rollout's query, shape (rollout,).
        tokens: Its length, above 0.
        correct: Whether it was correct: booleans, or 0 and 1.

    Raises:
        ValueError: If shapes differ, a number is no amount, or no query has two correct answers of different length:
            then nothing tells the decay.
    """
    lengths, right = numbers(tokens, "tokens", positive=True), numbers(correct, "correct")
    if not lengths.shape == right.shape == (len(queries),) or not set(np.unique(right)) <= {0.0, 1.0}:
        raise ValueError("queries, tokens and correct must have one entry a rollout, and correct 0 or 1 in each.")
    names = tuple(dict.fromkeys(queries))
    places = {name: place for place, name in enumerate(names)}
    query = np.array([places[name] for name in queries], dtype=np.intp)
    table = _padded(query, lengths, right == 1.0, len(names))
    if not (np.nanmax(table, axis=1, initial=0.0) > np.nanmin(table, axis=1, initial=np.inf)).any():
        raise ValueError("no query has two correct answers of different length. Add rollouts.")
    decay = _decay(table)
    n_rollouts, n_right = np.bincount(query, minlength=len(names)), np.isfinite(table).sum(axis=1)
    return FittedCurves(names, _thresholds(table, decay.value), _wilson(n_right, n_rollouts), decay, n_rollouts)


def _padded(query: NDArray[np.intp], lengths: Numbers, right: Mask, n_queries: int) -> Numbers:
    """Lengths of correct answers, shape (query, attempt), NaN where there are fewer."""
    counts = np.bincount(query[right], minlength=n_queries)
    order = np.argsort(query[right], kind="stable")
    column = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    table = np.full((n_queries, max(1, int(counts.max()))), np.nan)
    table[query[right][order], column] = lengths[right][order]
    return table


def _best_threshold(table: Numbers, decay: float) -> Numbers:
    """Where the sum of 1 / (L - t) is decay * n, or 0 if that is below 0; NaN without correct answers."""
    n = np.isfinite(table).sum(axis=1)
    low, high = np.zeros(len(table)), np.min(table, axis=1, initial=np.inf, where=np.isfinite(table))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        with np.errstate(divide="ignore"):
            short = np.nansum(1.0 / (table - middle[:, None]), axis=1) < decay * n
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.where(n > 0, low, np.nan)


def _log_likelihood(table: Numbers, threshold: Numbers, decay: float) -> Numbers:
    """Of the lengths of each query's correct answers, shape (query,); 0 without any."""
    x = table - threshold[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.nansum(2 * np.log(decay) + np.log(x) - decay * x, axis=1))


def _decay(table: Numbers) -> Interval:
    def profile(log_decay: float) -> float:
        decay = float(np.exp(log_decay))
        return float(_log_likelihood(table, _best_threshold(table, decay), decay).sum())

    spread = float(np.nanmean(np.nanstd(table[np.isfinite(table).sum(axis=1) > 1], axis=1)))
    middle = np.log(np.sqrt(2.0) / spread)  # that of a Gamma(2) variable with this standard deviation
    found = minimize_scalar(lambda x: -profile(x), bounds=(middle - 4, middle + 4), method="bounded")
    best, top = float(found.x), profile(float(found.x))

    def fall(x: float) -> float:
        return profile(x) - top + _DROP

    low = brentq(fall, best - 6, best) if fall(best - 6) < 0 else best - 6
    high = brentq(fall, best, best + 6) if fall(best + 6) < 0 else best + 6
    return Interval(float(np.exp(best)), float(np.exp(low)), float(np.exp(high)))


def _thresholds(table: Numbers, decay: float) -> Interval:
    best = _best_threshold(table, decay)
    wanted = _log_likelihood(table, np.nan_to_num(best), decay) - _DROP
    shortest = np.min(table, axis=1, initial=np.inf, where=np.isfinite(table))
    ends = []
    for far in (np.zeros(len(table)), np.where(np.isfinite(shortest), shortest, 0.0)):
        near, far_end = np.nan_to_num(best), far
        for _ in range(_HALVINGS):
            middle = (near + far_end) / 2
            inside = _log_likelihood(table, middle, decay) >= wanted
            near, far_end = np.where(inside, middle, near), np.where(inside, far_end, middle)
        ends.append(np.where(np.isfinite(best), near, np.nan))
    return Interval(best, ends[0], ends[1])


def _wilson(n_right: NDArray[np.intp], n: NDArray[np.intp]) -> Interval:
    """Wilson's interval of a share (1927): never outside of [0, 1], and not empty when all attempts agree."""
    share = n_right / n
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return Interval(share, np.minimum(middle - half, share).clip(0.0), np.maximum(middle + half, share).clip(None, 1.0))
