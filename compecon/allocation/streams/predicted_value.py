"""The worth of predictions of a measured stream: their errors beside the mean's, and what allocating by them earns.

Nothing here is judged on rows that it was fitted to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.stats import rankdata

from compecon.allocation.rules.repaired import RepairedShadowPrice
from compecon.allocation.streams.stream import Stream
from compecon.allocation.streams.threshold_ridge import FOLDS, fit_predictor, folds
from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.stats.intervals import Interval, bootstrapped, mean_interval


def stable_thresholds(levels: Numbers, correct: Numbers) -> Numbers:
    """The smallest budget tried from which on each query stays correct, shape (query,); NaN if there is none.

    Args:
        levels: Budgets, shape (query, level), rising.
        correct: 0 or 1, the same shape.
    """
    stays = np.flip(np.minimum.accumulate(np.flip(correct, axis=1), axis=1), axis=1) > 0
    first = np.take_along_axis(levels, stays.argmax(axis=1)[:, None], axis=1)[:, 0]
    return np.where(stays.any(axis=1), first, np.nan)


def out_of_fold(features: Numbers, goal: Numbers, *, seed: int = 0) -> tuple[Numbers, Numbers]:
    """Predictions for each row by a predictor of the other folds, and those folds' mean.

    Args:
        features: Shape (row, feature).
        goal: Shape (row,), at least 0; rows of NaN are predicted, but nothing is fitted to them.
        seed: Seed of the folds.
    """
    fold, said, mean = folds(len(goal), seed), np.empty(len(goal)), np.empty(len(goal))
    for number in range(FOLDS):
        held = fold == number
        fitted = np.isfinite(goal) & ~held
        said[held] = fit_predictor(features[fitted], goal[fitted], seed=seed).predict(features[held])
        mean[held] = goal[fitted].mean()
    return said, mean


@final
@dataclass(frozen=True)
class Skill:
    """How good predictions are, each figure with its 95% bootstrap interval over rows."""

    n: int  # rows
    error: Interval  # mean absolute error, in the goal's unit
    gain: Interval  # mean absolute error of predicting the training rows' mean, minus this one: above 0 is skill
    rank: Interval  # Spearman's correlation; 0 where all predictions are alike
    slope: Interval  # of actual on predicted, 1 if calibrated; NaN where all predictions are alike


def skill(said: Numbers, mean: Numbers, actual: Numbers) -> Skill:
    """Compare predictions, and those of the mean, with what happened; all of shape (row,)."""
    off, off_mean = np.abs(said - actual), np.abs(mean - actual)
    n, ranks = len(actual), (rankdata(said), rankdata(actual))
    return Skill(
        n,
        bootstrapped(n, lambda w: w @ off),
        bootstrapped(n, lambda w: w @ (off_mean - off)),
        bootstrapped(n, lambda w: np.nan_to_num(_moments(w, *ranks)[0])),
        bootstrapped(n, lambda w: _moments(w, said, actual)[1]) if np.ptp(said) > 0 else Interval(*[np.nan] * 3),
    )


def _moments(weights: Numbers, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    """Correlation of x and y, and slope of y on x, for each row of weights; NaN where x does not vary."""
    dx, dy = x - (weights @ x)[:, None], y - (weights @ y)[:, None]
    cross, xx, yy = ((weights * product).sum(axis=1) for product in (dx * dy, dx * dx, dy * dy))
    with np.errstate(divide="ignore", invalid="ignore"):
        return cross / np.sqrt(xx * yy), np.where(xx > 1e-12, cross / xx, np.nan)


def steps_at(stream: Stream, thresholds: Numbers) -> MeasuredCurve:
    """Curves that trust predicted thresholds, shape (query,): correct from the first budget tried that is not below."""
    place = np.minimum((stream.levels < thresholds[:, None] * (1 - 1e-9)).sum(axis=1), stream.levels.shape[1] - 1)
    right = np.arange(stream.levels.shape[1]) >= place[:, None]
    return MeasuredCurve(stream.levels, right.astype(np.float64))


def chances(features: Numbers, stream: Stream, *, seed: int = 0) -> MeasuredCurve:
    """Curves of the chance of a correct answer at every budget tried, predicted from the other folds."""
    columns = [out_of_fold(features, column, seed=seed)[0] for column in stream.correct.T]
    return MeasuredCurve(stream.levels, np.column_stack(columns))


def earned_by(stream: Stream, seen: MeasuredCurve, budget: float) -> Numbers:
    """Real outcomes of each query when a budget is shared by curves that may be wrong, shape (query,)."""
    return stream.curves().value(RepairedShadowPrice().allocate(seen, budget).spend)


@final
@dataclass(frozen=True)
class Gain:
    """What sharing a budget earns compared with treating all queries alike."""

    stream: str
    mean_budget: float  # per query, in the stream's unit: the cost of a level when all queries get it
    same: float  # share of correct answers when all get it
    hindsight: Interval  # what sharing the same total by the outcomes themselves adds: an oracle's gain, out of reach
    thresholds: Interval  # what sharing it by predicted thresholds adds; out of fold
    chances: Interval  # what sharing it by the predicted chances at each level adds; out of fold


def gains(stream: Stream, features: Numbers, *, seed: int = 0) -> tuple[Gain, ...]:
    """Gains at the cost of each level, judged by real outcomes, which are 0 or 1; features are (query, feature)."""
    by_thresholds = steps_at(stream, predicted_thresholds(stream, features, seed=seed))
    kinds = (stream.curves(), by_thresholds, chances(features, stream, seed=seed))
    found = []
    for place, same in enumerate(stream.correct.T):
        budget = float(stream.levels[:, place].sum())
        more = [mean_interval(earned_by(stream, seen, budget) - same) for seen in kinds]
        found.append(Gain(stream.name, budget / len(same), float(same.mean()), *more))
    return tuple(found)


def predicted_thresholds(stream: Stream, features: Numbers, *, seed: int = 0) -> Numbers:
    """Thresholds of all queries, each predicted from the queries of other folds that have one, shape (query,)."""
    return out_of_fold(features, stable_thresholds(stream.levels, stream.correct), seed=seed)[0]
