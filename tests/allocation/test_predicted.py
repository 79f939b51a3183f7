"""Predictions of measured streams: their thresholds, their skill, and what allocating by them really earns."""

import numpy as np
import pytest
from scipy.stats import linregress, spearmanr

from compecon.allocation.streams.predicted_value import (
    chances,
    earned_by,
    folds,
    gains,
    out_of_fold,
    predicted_thresholds,
    skill,
    stable_thresholds,
    steps_at,
)
from compecon.allocation.streams.stream import Stream
from compecon.allocation.streams.threshold_ridge import fit_predictor
from compecon.allocation.utilities.step_curves import MeasuredCurve

LEVELS = np.array([1.0, 2.0, 4.0])


def stream_of(thresholds):
    """Queries that are right from their threshold on."""
    levels = np.tile(LEVELS, (len(thresholds), 1))
    correct = (levels >= np.array(thresholds)[:, None]).astype(float)
    return Stream("made", tuple(map(str, range(len(thresholds)))), levels, correct)


def test_a_threshold_is_where_the_answer_is_right_and_stays_right():
    correct = np.array([[1, 1, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 0]], dtype=float)
    found = stable_thresholds(np.tile(LEVELS, (5, 1)), correct)
    np.testing.assert_array_equal(found, [1, 2, 4, np.nan, np.nan])


def test_each_row_is_predicted_by_rows_of_other_folds():
    rng = np.random.default_rng(0)
    features, goal = rng.standard_normal((60, 3)), rng.uniform(1, 9, 60)
    said, mean = out_of_fold(features, goal)
    fold = folds(60)
    assert np.bincount(fold).tolist() == [12] * 5
    others = fold != fold[17]
    assert said[17] == fit_predictor(features[others], goal[others]).predict(features[17:18])[0]
    assert mean[17] == goal[others].mean()


def test_skill_has_its_definitions():
    rng = np.random.default_rng(1)
    actual = rng.uniform(1, 9, 200)
    said = actual + rng.normal(0, 1, 200)
    found = skill(said, np.full(200, 5.0), actual)
    assert found.error.value == pytest.approx(np.abs(said - actual).mean())
    assert found.gain.value == pytest.approx(np.abs(5 - actual).mean() - found.error.value)
    assert found.rank.value == pytest.approx(spearmanr(said, actual).statistic)
    assert found.slope.value == pytest.approx(linregress(said, actual).slope)
    assert found.gain.low > 0
    for each in (found.error, found.gain, found.rank, found.slope):
        assert each.low < each.value < each.high


def test_saying_the_same_of_all_is_no_skill():
    found = skill(np.full(30, 5.0), np.full(30, 5.0), np.arange(30.0))
    assert found.gain == (0, 0, 0)
    assert found.rank.value == pytest.approx(0, abs=1e-9)
    assert np.isnan(found.slope.value)


def test_predicted_steps_begin_at_the_first_budget_that_is_enough():
    stream = stream_of([1, 2, 4])
    curves = steps_at(stream, np.array([1.0, 2.5, 99.0]))
    np.testing.assert_array_equal(curves.values, [[1, 1, 1], [0, 0, 1], [0, 0, 1]])


def test_hindsight_never_loses_and_true_predictions_earn_as_much():
    rng = np.random.default_rng(3)
    thresholds = rng.choice([1, 2, 4, 9], 80)
    stream = stream_of(thresholds)
    told = np.eye(4)[np.searchsorted([1, 2, 4, 9], thresholds)]
    for gain, same in zip(gains(stream, told), stream.correct.T, strict=True):
        assert gain.same == same.mean()
        assert gain.hindsight.value >= 0
        assert gain.chances.value == pytest.approx(gain.hindsight.value, abs=0.03)
    scarce = gains(stream, told)[0]
    assert scarce.thresholds.value <= scarce.hindsight.value


def test_real_outcomes_judge_curves_that_are_wrong():
    stream = stream_of([4, 1])
    wrong = MeasuredCurve(stream.levels, np.array([[1.0, 1, 1], [0, 0, 0]]))
    np.testing.assert_array_equal(earned_by(stream, wrong, 1.0), [0, 0])
    np.testing.assert_array_equal(earned_by(stream, stream.curves(), 1.0), [0, 1])


def test_queries_without_a_threshold_teach_nothing_and_still_get_a_prediction():
    thresholds = np.array([1, 2, 4, 9] * 20)
    said = predicted_thresholds(stream_of(thresholds), np.random.default_rng(4).standard_normal((80, 2)))
    assert np.isfinite(said).all()
    assert said.max() <= 4


def test_chances_are_chances():
    stream = stream_of([1, 2, 4, 9] * 20)
    found = chances(np.random.default_rng(5).standard_normal((80, 2)), stream)
    assert ((found.values >= 0) & (found.values <= 1)).all()
