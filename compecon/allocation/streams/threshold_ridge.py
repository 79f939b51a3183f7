"""Thresholds from features: ridge regression with a monotone calibration. Ours: the paper trains a DeBERTa for this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

from compecon.allocation.utilities.arrays import Numbers, numbers

_STRENGTHS = np.logspace(-4, 4, 33)
FOLDS = 5


@final
@dataclass(frozen=True, eq=False)
class ThresholdPredictor:
    """Ridge regression of log(1 + threshold), then a monotone map to tokens.

    A ridge shrinks towards the mean, so that hard queries look easier than they are; the map, fitted to predictions of
    rows that the ridge had not seen, undoes the systematic part of that.
    """

    centre: Numbers  # mean of the features, shape (feature,)
    weights: Numbers  # shape (feature,)
    intercept: float  # mean of the logarithms
    knots: Numbers  # raw predictions, ascending, and the tokens that they mean, shape (2, knot)

    def raw(self, features: ArrayLike) -> Numbers:
        """Predicted log(1 + threshold), shape (row,)."""
        return np.asarray((np.asarray(features, dtype=np.float64) - self.centre) @ self.weights + self.intercept)

    def predict(self, features: ArrayLike) -> Numbers:
        """Predicted thresholds in tokens, shape (row,); beyond the knots the last one's."""
        return np.asarray(np.interp(self.raw(features), self.knots[0], self.knots[1]))


def fit_predictor(features: ArrayLike, thresholds: ArrayLike, *, seed: int = 0) -> ThresholdPredictor:
    """Fit ridge and calibration; the strength is chosen by generalised cross-validation.

    Args:
        features: Shape (row, feature), finite.
        thresholds: Tokens, shape (row,), at least 0.
        seed: Seed of the folds for the calibration.

    Raises:
        ValueError: If shapes differ, a number is not finite, or there are fewer than 10 rows.
    """
    rows, tokens = _checked(features, thresholds)
    goal = np.log1p(tokens)
    centre, weights, strength = _ridge(rows, goal)
    unseen = np.empty(len(goal))
    fold = folds(len(goal), seed)
    for number in range(FOLDS):
        held = fold == number
        mean, slope, _ = _ridge(rows[~held], goal[~held], strength)
        unseen[held] = (rows[held] - mean) @ slope + goal[~held].mean()
    return ThresholdPredictor(centre, weights, float(goal.mean()), _monotone(unseen, tokens))


def folds(n: int, seed: int = 0) -> NDArray[np.intp]:
    """A fold for each of n rows, of sizes as equal as can be, shape (row,)."""
    return np.asarray(np.random.default_rng(seed).permutation(n) % FOLDS, dtype=np.intp)


def _checked(features: ArrayLike, thresholds: ArrayLike) -> tuple[Numbers, Numbers]:
    rows, tokens = np.asarray(features, dtype=np.float64), numbers(thresholds, "thresholds")
    if rows.ndim != 2 or tokens.shape != rows.shape[:1] or len(rows) < 10:
        raise ValueError(f"features must be (row, feature) with 10 rows or more, got {rows.shape} for {tokens.shape}.")
    if not np.isfinite(rows).all():
        raise ValueError("features must be finite.")
    return rows, tokens


def _ridge(rows: Numbers, goal: Numbers, strength: float | None = None) -> tuple[Numbers, Numbers, float]:
    """Centre, weights and strength; without a strength the best by generalised cross-validation."""
    centre = rows.mean(axis=0)
    left, size, right = np.linalg.svd(rows - centre, full_matrices=False)
    seen = left.T @ (goal - goal.mean())
    if strength is None:
        strengths = _STRENGTHS * float((size**2).mean() or 1.0)
        strength = min(strengths.tolist(), key=lambda s: _gcv(size, seen, goal, s))
    return centre, right.T @ (seen * size / (size**2 + strength)), strength


def _gcv(size: Numbers, seen: Numbers, goal: Numbers, strength: float) -> float:
    """Mean square error over the square of the share of free degrees (Golub, Heath and Wahba 1979)."""
    kept = size**2 / (size**2 + strength)
    total = float(((goal - goal.mean()) ** 2).sum())
    unexplained = total - float((seen**2).sum()) + float((((1 - kept) * seen) ** 2).sum())
    free = len(goal) - 1 - float(kept.sum())
    return unexplained / max(free, 1e-9) ** 2


def _monotone(raw: Numbers, tokens: Numbers) -> Numbers:
    order: NDArray[np.intp] = np.argsort(raw, kind="stable")
    rising = isotonic_regression(tokens[order]).x
    knots, first = np.unique(raw[order], return_index=True)
    return np.stack([knots, rising[first]])
