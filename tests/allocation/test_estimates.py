"""Curves fitted to rollouts, thresholds predicted from features, and allocation when they are uncertain."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import gamma, spearmanr

from compecon.allocation.rules.repaired import RepairedShadowPrice
from compecon.allocation.streams.synthetic import MIXTURES
from compecon.allocation.streams.threshold_ridge import fit_predictor
from compecon.allocation.utilities.fit import fit_rollouts
from compecon.allocation.utilities.surge import ShiftedSurge
from compecon.allocation.utilities.truncation import Truncation
from compecon.allocation.utilities.uncertain import expected_utility

DECAY = 0.02


def rollouts(n_queries=60, n_each=16, seed=0):
    rng = np.random.default_rng(seed)
    thresholds, ceilings = rng.uniform(50, 500, n_queries), rng.uniform(0.3, 0.9, n_queries)
    query = np.repeat(np.arange(n_queries), n_each)
    tokens = thresholds[query] + rng.gamma(2, 1 / DECAY, len(query))
    correct = rng.random(len(query)) < ceilings[query]
    return [str(q) for q in query], tokens, correct, thresholds, ceilings


def test_the_fit_has_the_largest_likelihood():
    """Against a general optimiser over all thresholds and the decay at once."""
    queries, tokens, correct, _, _ = rollouts(4, 12)
    fitted = fit_rollouts(queries, tokens, correct)
    query = np.array([int(q) for q in queries])

    def loss(x):
        lengths = tokens[correct] - x[:4][query[correct]]
        return -gamma.logpdf(lengths, 2, scale=np.exp(-x[4])).sum() if (lengths > 0).all() else 1e9

    start = np.append([tokens[correct & (query == q)].min() - 20 for q in range(4)], np.log(DECAY))
    found = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 20_000, "xatol": 1e-8, "fatol": 1e-10})
    assert loss(np.append(fitted.threshold.value, np.log(fitted.decay.value))) <= found.fun + 1e-6
    np.testing.assert_allclose(fitted.threshold.value, found.x[:4], rtol=1e-3)
    assert fitted.decay.value == pytest.approx(np.exp(found.x[4]), rel=1e-3)


def test_ceilings_are_shares_of_correct_attempts():
    queries, tokens, correct, _, _ = rollouts()
    fitted = fit_rollouts(queries, tokens, correct)
    np.testing.assert_allclose(fitted.ceiling.value, correct.reshape(60, 16).mean(axis=1))
    assert (fitted.ceiling.low <= fitted.ceiling.value).all()
    assert (fitted.ceiling.high >= fitted.ceiling.value).all()
    assert fitted.queries == tuple(map(str, range(60)))


@pytest.mark.slow
def test_intervals_cover_the_truth_about_as_often_as_they_say():
    covered, ceilings, decays = [], [], []
    for seed in range(8):
        queries, tokens, correct, thresholds, truth = rollouts(n_each=24, seed=seed)
        fitted = fit_rollouts(queries, tokens, correct)
        covered.append((fitted.threshold.low <= thresholds) & (thresholds <= fitted.threshold.high))
        ceilings.append((fitted.ceiling.low <= truth) & (truth <= fitted.ceiling.high))
        decays.append(fitted.decay.low <= DECAY <= fitted.decay.high)
    assert 0.9 < np.mean(covered) < 0.99
    assert 0.92 < np.mean(ceilings) < 0.98


def test_a_query_that_was_never_solved_has_no_curve():
    queries, tokens, correct, _, _ = rollouts(5)
    correct[:16] = False
    fitted = fit_rollouts(queries, tokens, correct)
    assert fitted.solved.tolist() == [False, True, True, True, True]
    assert fitted.truncation().n_agents == len(fitted.spread()) == 4
    assert fitted.ceiling.value[0] == 0
    assert fitted.ceiling.high[0] > 0


def capped(cap, n_queries=40, n_each=24, seed=0):
    """Rollouts of a known threshold, all cut at a cap; wrong ones are as long as correct ones."""
    queries, tokens, correct, thresholds, ceilings = rollouts(n_queries, n_each, seed)
    budgets = np.array([cap + thresholds[int(q)] for q in queries])
    cut = tokens > budgets
    return queries, np.minimum(tokens, budgets), correct & ~cut, cut, thresholds, ceilings


def test_a_cut_rollout_is_not_a_wrong_one():
    """Cut at the median, half of all rollouts; counted as wrong they halve every ceiling and shorten every answer."""
    queries, tokens, correct, cut, thresholds, ceilings = capped(cap=1.678 / DECAY)
    assert 0.45 < cut.mean() < 0.55
    fitted, naive = fit_rollouts(queries, tokens, correct, cut), fit_rollouts(queries, tokens, correct)
    assert abs(np.log(fitted.decay.value / DECAY)) < 0.2  # a threshold for every few answers biases it somewhat
    assert np.log(naive.decay.value / DECAY) > 0.3
    known = fitted.solved
    assert np.mean(fitted.ceiling.value[known] - ceilings[known]) == pytest.approx(0, abs=0.05)
    assert np.mean(naive.ceiling.value[known] - ceilings[known]) < -0.2
    inside = (fitted.threshold.low <= thresholds) & (thresholds <= fitted.threshold.high)
    assert inside[known].mean() > 0.85


def test_the_censored_fit_has_the_largest_likelihood():
    """Against a general optimiser, with the density of correct answers and the chance to be longer from SciPy."""
    queries, tokens, correct, cut, _, _ = capped(60.0, n_queries=3, n_each=30, seed=2)
    fitted = fit_rollouts(queries, tokens, correct, cut)
    query = np.array([int(q) for q in queries])

    def loss(x):
        late = tokens - x[:3][query]
        if (late[correct] <= 0).any():
            return 1e9
        scale = np.exp(-x[3])
        cuts = fitted.ceiling.value[query[cut]] * gamma.logsf(late[cut], 2, scale=scale)
        return -gamma.logpdf(late[correct], 2, scale=scale).sum() - cuts.sum()

    start = np.append([tokens[correct & (query == q)].min() - 20 for q in range(3)], np.log(DECAY))
    found = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 20_000, "xatol": 1e-8, "fatol": 1e-10})
    assert loss(np.append(fitted.threshold.value, np.log(fitted.decay.value))) <= found.fun + 1e-6
    np.testing.assert_allclose(fitted.threshold.value, found.x[:3], rtol=1e-3)


def test_without_a_cut_nothing_changes():
    queries, tokens, correct, _, _ = rollouts(5)
    plain, told = fit_rollouts(queries, tokens, correct), fit_rollouts(queries, tokens, correct, np.zeros(len(tokens)))
    np.testing.assert_array_equal(plain.threshold.value, told.threshold.value)
    assert plain.decay == told.decay


def test_a_query_of_which_all_rollouts_were_cut_is_unknown():
    queries, tokens, correct, _, _ = rollouts(4)
    cut = np.array(queries) == "0"
    fitted = fit_rollouts(queries, tokens, correct & ~cut, cut)
    assert not fitted.solved[0]
    assert (fitted.ceiling.low[0], fitted.ceiling.high[0]) == (0.0, 1.0)


def test_a_cut_rollout_cannot_be_correct():
    with pytest.raises(ValueError, match="rollout 1 is both cut and correct"):
        fit_rollouts(["a", "a"], [1.0, 2.0], [1, 1], [0, 1])


@pytest.mark.parametrize(
    ("tokens", "correct", "message"),
    [
        ([1.0, 2.0], [1], "per rollout"),
        ([1.0, 2.0], [1, 0.5], "are 0 or 1"),
        ([1.0, np.nan], [1, 1], "tokens must be above 0"),
        ([2.0, 2.0], [1, 1], "different length"),
        ([1.0, 2.0], [0, 0], "different length"),
    ],
)
def test_rollouts_that_tell_nothing_are_refused(tokens, correct, message):
    with pytest.raises(ValueError, match=message):
        fit_rollouts(["a"] * 2, tokens, correct)


# ---- prediction


def features(n=300, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n, 8))
    return rows, np.expm1(5 + rows @ np.array([0.5, -0.3, 0, 0, 0.2, 0, 0, 0]) + 0.1 * rng.standard_normal(n))


def test_what_is_linear_in_the_features_is_found():
    rows, tokens = features()
    predictor = fit_predictor(rows[:200], tokens[:200])
    said = predictor.predict(rows[200:])
    assert spearmanr(said, tokens[200:]).statistic > 0.95
    assert np.std(np.log1p(said) - np.log1p(tokens[200:])) < 0.25


def test_a_prediction_never_falls_where_the_regression_rises():
    rows, tokens = features()
    predictor = fit_predictor(rows, tokens)
    order = np.argsort(predictor.raw(rows))
    assert (np.diff(predictor.predict(rows)[order]) >= 0).all()


def test_noise_alone_predicts_about_the_mean():
    rng = np.random.default_rng(0)
    rows, tokens = rng.standard_normal((200, 50)), rng.uniform(100, 200, 200)
    predicted = fit_predictor(rows[:100], tokens[:100]).predict(rows[100:])
    assert np.sqrt(np.mean((predicted - tokens[100:]) ** 2)) < 1.2 * tokens.std()


@pytest.mark.parametrize(
    ("rows", "tokens", "message"),
    [
        (np.ones((5, 2)), np.ones(5), "10 rows or more"),
        (np.full((20, 2), np.nan), np.ones(20), "must be finite"),
        (np.ones((20, 2)), -np.ones(20), "thresholds must be at least 0"),
    ],
)
def test_features_that_tell_nothing_are_refused(rows, tokens, message):
    with pytest.raises(ValueError, match=message):
        fit_predictor(rows, tokens)


# ---- uncertainty


CURVES = [
    ShiftedSurge(np.array([200.0, 50]), np.array(1.5), np.array(0.01)),
    Truncation(np.array([200.0, 50]), np.array(0.01)),
]
either = pytest.mark.parametrize("utility", CURVES, ids=lambda utility: type(utility).__name__)


@either
def test_expected_utility_is_the_mean_over_thresholds(utility):
    rng, spread = np.random.default_rng(0), 40.0
    drawn = np.maximum(utility.threshold + spread * rng.standard_normal((4_000, 2)), 0)
    expected = expected_utility(utility, spread, n_nodes=101)
    spend = expected.levels[:, 40]
    mean = np.mean([type(utility)(**{**vars_of(utility), "threshold": row}).value(spend) for row in drawn], axis=0)
    np.testing.assert_allclose(expected.value(spend), mean, rtol=0.03)


def vars_of(utility):
    return {name: getattr(utility, name) for name in utility.__dataclass_fields__}


@either
def test_without_an_error_the_expected_curve_is_the_curve(utility):
    expected = expected_utility(utility, 0.0)
    for place in (0, 30, 60):
        spend = expected.levels[:, place]
        np.testing.assert_allclose(expected.value(spend), utility.value(spend), rtol=1e-12)


def test_allowing_for_errors_earns_more_than_trusting_predictions():
    """Spends decided on predicted thresholds, judged by true ones that are off by a normal error."""
    predicted, spread = MIXTURES["Balanced"].draw(60, seed=0).surge(), 60.0
    rng, budget = np.random.default_rng(1), 200.0 * 60
    trusting = RepairedShadowPrice().allocate(predicted, budget).spend
    careful = RepairedShadowPrice().allocate(expected_utility(predicted, spread), budget).spend
    gains = []
    for _ in range(200):
        threshold = np.maximum(predicted.threshold + spread * rng.standard_normal(60), 0)
        truth = ShiftedSurge(threshold, predicted.slope, predicted.decay)
        gains.append(truth.value(careful).sum() - truth.value(trusting).sum())
    assert np.mean(gains) > 3 * np.std(gains) / np.sqrt(len(gains))


def test_an_expectation_over_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1 node"):
        expected_utility(CURVES[0], 1.0, n_nodes=0)
