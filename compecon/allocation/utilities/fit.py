"""Curves from rollouts: several attempts per query, each with its length and whether it was correct.

Ours; how the paper fits its curves is not known. The model: a query is answered correctly with chance ``ceiling``, and
a correct answer is as long as the threshold plus a Gamma variable of shape 2 and rate ``decay``. One decay is shared by
all queries, as in the paper; a threshold and a ceiling are each query's own. The likelihood then falls into parts:

- the ceiling is the share of correct attempts among those that were finished;
- given the decay, the log-likelihood of a threshold has one root of its derivative below the shortest correct answer;
- the decay has the largest profile likelihood.

An attempt that was cut by its budget before an answer is censored: all that is known is that it is longer. It is not
wrong, and does not lower the ceiling. See `compecon.allocation.utilities.rollouts` for what is assumed of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq, minimize_scalar

from compecon.allocation.utilities.arrays import Mask, Numbers, numbers
from compecon.allocation.utilities.rollouts import Rollouts, by_query
from compecon.allocation.utilities.truncation import Truncation
from compecon.stats.intervals import Interval, wilson

_DROP = 1.920729410347062  # of the log-likelihood at the ends of a 95% interval: half of the chi-square quantile
_Z = 1.959963984540054  # half the width of a 95% interval, in standard errors


@final
@dataclass(frozen=True, eq=False)
class FittedCurves:
    """What rollouts say about each query.

    Attributes:
        queries: Ids, in the order of their first rollout.
        threshold: With its profile likelihood interval at the fitted decay, shape (query,); NaN without correct answer.
        ceiling: With Wilson's interval, shape (query,).
        decay: Shared, with its profile likelihood interval.
    """

    queries: tuple[str, ...]
    threshold: Interval
    ceiling: Interval
    decay: Interval

    @property
    def solved(self) -> Mask:
        """Which queries were solved at least once: only these have curves, shape (query,)."""
        return np.asarray(np.isfinite(self.threshold.value))

    def truncation(self) -> Truncation:
        """Chances of a correct answer within a cap, for the solved queries."""
        known = self.solved
        return Truncation(self.threshold.value[known], np.array(self.decay.value), self.ceiling.value[known])

    def spread(self) -> Numbers:
        """Standard errors of the solved queries' thresholds, from the width of their intervals, in tokens."""
        known = self.solved
        return np.asarray((self.threshold.high - self.threshold.low)[known] / (2 * _Z))


def fit_rollouts(
    queries: tuple[str, ...] | list[str], tokens: ArrayLike, correct: ArrayLike, cut: ArrayLike | None = None
) -> FittedCurves:
    """Fit thresholds, ceilings and a shared decay by maximum likelihood.

    Args:
        queries: Id of each rollout's query, shape (rollout,).
        tokens: Its length in tokens, shape (rollout,), above 0; for one that was cut, its budget.
        correct: Whether it was correct, shape (rollout,): booleans, or 0 and 1.
        cut: Whether its budget ended before an answer, shape (rollout,), likewise; None if none was cut.

    Returns:
        The fit, with intervals. Queries without a correct answer have no curve.

    Raises:
        ValueError: If shapes differ, a number is not finite and above 0, a cut rollout is called correct, or no query
            has two correct answers of different length, without which the decay cannot be estimated.

    Examples:
        >>> found = fit_rollouts(["a", "a", "b", "b"], tokens=[300, 420, 90, 200], correct=[1, 1, 1, 0])
        >>> found.queries, found.ceiling.value.tolist()
        (('a', 'b'), [1.0, 0.5])
        >>> found.truncation().value([1000, 1000]).round(2).tolist()
        [1.0, 0.5]
    """
    lengths, right = numbers(tokens, "tokens", positive=True), numbers(correct, "correct")
    ended = np.zeros_like(right) if cut is None else numbers(cut, "cut")
    _whole_columns(len(queries), lengths, right, ended)
    names = tuple(dict.fromkeys(queries))
    places = {name: place for place, name in enumerate(names)}
    query = np.array([places[name] for name in queries], dtype=np.intp)
    finished = np.bincount(query[ended == 0.0], minlength=len(names))
    table = by_query(query, lengths, right == 1.0, len(names))
    n_right = np.isfinite(table).sum(axis=1)
    if not (np.nanmax(table, axis=1, initial=0.0) > np.nanmin(table, axis=1, initial=np.inf)).any():
        raise ValueError("no query has two correct answers of different length. Add rollouts.")
    share = n_right / np.maximum(finished, 1)
    seen = Rollouts(table, by_query(query, lengths, ended == 1.0, len(names)), share)
    decay = _decay(seen)
    best = seen.best_threshold(decay.value)
    threshold = Interval(best, *seen.reach(best, decay.value, _DROP))
    return FittedCurves(names, threshold, wilson(n_right, finished), decay)


def _whole_columns(n: int, lengths: Numbers, right: Numbers, ended: Numbers) -> None:
    two = {0.0, 1.0}
    if not lengths.shape == right.shape == ended.shape == (n,) or not set(np.unique([right, ended])) <= two:
        raise ValueError(
            "queries, tokens, correct and cut must have one entry per rollout; correct and cut are 0 or 1."
        )
    if (right * ended).any():
        raise ValueError(f"rollout {int(np.argmax(right * ended))} is both cut and correct. A cut one has no answer.")


def _decay(seen: Rollouts) -> Interval:
    def profile(log_decay: float) -> float:
        decay = float(np.exp(log_decay))
        return float(seen.log_likelihood(np.nan_to_num(seen.best_threshold(decay)), decay).sum())

    spread = float(np.nanmean(np.nanstd(seen.correct[seen.n_correct > 1], axis=1)))
    middle = np.log(np.sqrt(2.0) / spread)  # that of a Gamma(2) variable with this standard deviation
    found = minimize_scalar(lambda x: -profile(x), bounds=(middle - 4, middle + 4), method="bounded")
    best, top = float(found.x), profile(float(found.x))

    def fall(x: float) -> float:
        return profile(x) - top + _DROP

    low = brentq(fall, best - 6, best) if fall(best - 6) < 0 else best - 6
    high = brentq(fall, best, best + 6) if fall(best + 6) < 0 else best + 6
    return Interval(float(np.exp(best)), float(np.exp(low)), float(np.exp(high)))
