import numpy as np
import pytest
from scipy import stats

from compecon.tasks.metrics import accuracy, perplexity, spearman


def test_accuracy_is_the_share_of_equal_classes():
    assert accuracy([0, 1, 2, 1], [0, 1, 1, 1]).value == 0.75


def test_the_interval_of_an_accuracy_is_close_to_the_binomial_one():
    right = np.random.default_rng(1).random(2000) < 0.8
    estimate = accuracy(right.astype(int), np.ones(2000, dtype=int))
    half = 1.96 * np.sqrt(estimate.value * (1 - estimate.value) / 2000)
    assert estimate.low == pytest.approx(estimate.value - half, abs=0.003)
    assert estimate.high == pytest.approx(estimate.value + half, abs=0.003)


def test_spearman_with_ties_equals_scipys():
    rng = np.random.default_rng(2)
    first, second = rng.integers(0, 6, 200), rng.normal(size=200)
    assert spearman(first, second).value == pytest.approx(stats.spearmanr(first, second).statistic)


def test_the_interval_of_spearman_resamples_pairs_not_columns():
    scores = np.arange(50.0)
    assert spearman(scores, scores).low == pytest.approx(1)


def test_a_constant_side_has_no_rank_correlation():
    assert np.isnan(spearman(np.ones(10), np.arange(10)).value)


def test_perplexity_shares_the_nats_of_all_documents_by_their_units():
    nats, tokens = np.array([20.0, 90.0, 10.0]), np.array([10, 30, 5])
    assert perplexity(nats, tokens).value == pytest.approx(np.exp(120 / 45))


def test_a_uniform_model_has_the_perplexity_of_its_choices_and_no_spread():
    tokens = np.array([3, 50, 7])
    estimate = perplexity(tokens * np.log(100), tokens)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((100, 100, 100))


def test_an_interval_is_the_same_every_time():
    predictions = np.random.default_rng(3).integers(0, 2, 100)
    assert accuracy(predictions, np.ones(100)) == accuracy(predictions, np.ones(100))


@pytest.mark.parametrize("columns", [([1, 0], [1]), ([1], [1]), ([[1, 0]], [[1, 0]])])
def test_columns_must_be_one_dimensional_and_equally_long(columns):
    with pytest.raises(ValueError, match="equally long"):
        accuracy(*columns)


def test_a_document_without_a_unit_is_refused():
    with pytest.raises(ValueError, match="at least one unit"):
        perplexity([1.0, 2.0], [1, 0])
