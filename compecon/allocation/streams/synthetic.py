"""Streams that are drawn, not measured: four mixtures of easy, middling and hard queries.

The names are the paper's; everything else is ours, since its recipe is not published. Each query has a threshold, a
chance of being solved at all, and, if it is, a length of its correct answer. What is imitated: medians near those of
correct answers to GSM8K, MATH and competition questions in the paper's first figure, and ceilings of accuracy near
those of its draft results figure. What these streams show of a rule is its shape, never a result of the paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from compecon.allocation.utilities.arrays import Mask, Numbers
from compecon.allocation.utilities.surge import ShiftedSurge
from compecon.allocation.utilities.truncation import Truncation

DECAY = 0.01  # per token: correct answers are 200 tokens longer than the threshold in the mean
SLOPE = 1.5  # latent utility per token, as in the authors' drawing of the curve
N_QUERIES = 500  # as many as a stream of the paper has
_MEDIANS = (160.0, 330.0, 620.0)  # tokens of the threshold: easy, middling, hard
_SPREAD = 0.45  # of its logarithm
_CEILINGS = (0.75, 0.2, 0.1)


@final
@dataclass(frozen=True, eq=False)
class SyntheticStream:
    """Queries that were drawn, with the truth, which is unknown for real ones."""

    name: str  # name of the mixture
    thresholds: Numbers  # tokens before the first correct answer, shape (query,)
    ceilings: Numbers  # chance of a correct answer without a cut, shape (query,)
    lengths: Numbers  # tokens of the correct answer, shape (query,); infinity if there is none

    def surge(self) -> ShiftedSurge:
        """Curves as the paper's rule sees them: one slope and one decay for all."""
        return ShiftedSurge(self.thresholds, np.array(SLOPE), np.array(DECAY))

    def truncation(self, *, with_ceilings: bool = True) -> Truncation:
        """Chances of a correct answer within a cap, with known ceilings, or with ceilings of 1."""
        return Truncation(self.thresholds, np.array(DECAY), self.ceilings if with_ceilings else np.array(1.0))

    def correct(self, spend: Numbers) -> Mask:
        """Which queries are answered correctly under caps, shape (query,)."""
        return np.asarray(self.lengths <= spend)

    def predicted(self, noise: float, seed: int = 0) -> SyntheticStream:
        """The same with thresholds as a predictor with errors sees them.

        The noise is the standard deviation of the error of the threshold's logarithm: 0.3 is off by a third.
        """
        errors = np.random.default_rng(seed).standard_normal(len(self.thresholds))
        return replace(self, thresholds=self.thresholds * np.exp(noise * errors))


@final
@dataclass(frozen=True)
class Mixture:
    """A name, and the shares of easy, middling and hard queries, which sum to 1."""

    name: str
    shares: tuple[float, float, float]

    def draw(self, n_queries: int = N_QUERIES, seed: int = 0) -> SyntheticStream:
        """Queries in random order; the same for the same seed.

        Raises:
            ValueError: If there are no queries.
        """
        if n_queries < 1:
            raise ValueError(f"a stream needs at least one query, got {n_queries}.")
        rng = np.random.default_rng(seed)
        kinds = rng.choice(3, n_queries, p=self.shares)
        thresholds = np.array(_MEDIANS)[kinds] * np.exp(_SPREAD * rng.standard_normal(n_queries))
        ceilings = np.array(_CEILINGS)[kinds]
        lengths = thresholds + rng.gamma(2.0, 1.0 / DECAY, n_queries)
        solved = rng.random(n_queries) < ceilings
        return SyntheticStream(self.name, thresholds, ceilings, np.where(solved, lengths, np.inf))


MIXTURES: Mapping[str, Mixture] = {
    mixture.name: mixture
    for mixture in (
        Mixture("Balanced", (0.34, 0.33, 0.33)),
        Mixture("MostlyEasy", (0.7, 0.2, 0.1)),
        Mixture("MostlyHard", (0.1, 0.2, 0.7)),
        Mixture("UShaped", (0.45, 0.1, 0.45)),
    )
}
