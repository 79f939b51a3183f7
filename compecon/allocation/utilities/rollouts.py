"""Likelihood of rollouts' lengths: a threshold plus a Gamma variable of shape 2, some of them cut before their end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from compecon.allocation.utilities.arrays import Mask, Numbers

_HALVINGS = 80


@final
@dataclass(frozen=True, eq=False)
class Rollouts:
    """Lengths by query, padded with NaN.

    A cut rollout is longer than its budget, and it is not known whether it would have been correct. It counts as
    correct with the share of correct ones among the query's finished rollouts, which is right if wrong rollouts are cut
    as often as correct ones.

    Attributes:
        correct: Lengths of correct answers in tokens, shape (query, attempt).
        cuts: Budgets at which others were cut, in tokens, shape (query, cut).
        share: Share of correct ones among the finished, shape (query,), in [0, 1]; 0 without any finished.

    Examples:
        >>> seen = Rollouts(np.array([[300.0, 420.0]]), cuts=np.array([[np.nan]]), share=np.array([1.0]))
        >>> seen.best_threshold(decay=0.01).round(1).tolist()
        [231.9]
    """

    correct: Numbers
    cuts: Numbers
    share: Numbers

    @property
    def n_correct(self) -> NDArray[np.intp]:
        """Correct answers of each query, shape (query,)."""
        return np.asarray(np.isfinite(self.correct).sum(axis=1))

    @property
    def shortest(self) -> Numbers:
        """The shortest correct answer of each query, shape (query,); infinity without any."""
        return np.asarray(np.min(self.correct, axis=1, initial=np.inf, where=np.isfinite(self.correct)))

    def log_likelihood(self, threshold: Numbers, decay: float) -> Numbers:
        """Log-likelihood of a threshold for each query, shape (query,); 0 without correct answers."""
        x = self.correct - threshold[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            finished = np.nansum(2 * np.log(decay) + np.log(x) - decay * x, axis=1)
        z = decay * np.maximum(self.cuts - threshold[:, None], 0.0)
        longer = np.nansum(np.log1p(z) - z, axis=1)  # logarithm of the chance to be longer than that
        return np.asarray(finished + np.where(self.n_correct > 0, self.share * longer, 0.0))

    def best_threshold(self, decay: float) -> Numbers:
        """The most likely threshold of each query, at least 0, shape (query,); NaN without correct answers.

        The derivative of the log-likelihood falls from one end to the other, so halving finds where it is 0.
        """
        low, high = np.zeros(len(self.correct)), self.shortest
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            with np.errstate(divide="ignore", invalid="ignore"):
                pull = np.nansum(1.0 / (self.correct - middle[:, None]), axis=1)
                z = decay * np.maximum(self.cuts - middle[:, None], 0.0)
                push = decay * (self.n_correct + self.share * np.nansum(z / (1.0 + z), axis=1))
            low, high = np.where(pull < push, middle, low), np.where(pull < push, high, middle)
        return np.where(self.n_correct > 0, low, np.nan)

    def reach(self, best: Numbers, decay: float, drop: float) -> tuple[Numbers, Numbers]:
        """The lowest and the highest threshold whose log-likelihood is at most ``drop`` below that of the best."""
        wanted = self.log_likelihood(np.nan_to_num(best), decay) - drop
        ends = []
        for far in (np.zeros(len(best)), np.where(np.isfinite(self.shortest), self.shortest, 0.0)):
            near, far_end = np.nan_to_num(best), far
            for _ in range(_HALVINGS):
                middle = (near + far_end) / 2
                inside = self.log_likelihood(middle, decay) >= wanted
                near, far_end = np.where(inside, middle, near), np.where(inside, far_end, middle)
            ends.append(np.where(np.isfinite(best), near, np.nan))
        return ends[0], ends[1]


def by_query(query: NDArray[np.intp], lengths: Numbers, chosen: Mask, n_queries: int) -> Numbers:
    """Some rollouts' lengths, shape (query, attempt), NaN where there are fewer."""
    counts = np.bincount(query[chosen], minlength=n_queries)
    order = np.argsort(query[chosen], kind="stable")
    column = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    table = np.full((n_queries, max(1, int(counts.max(initial=0)))), np.nan)
    table[query[chosen][order], column] = lengths[chosen][order]
    return table
