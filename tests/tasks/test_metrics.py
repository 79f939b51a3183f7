import itertools

import numpy as np
import pytest
from scipy import stats

from compecon.tasks.task_metrics import Estimate, accuracy, f1, matthews, paired, pearson, perplexity, spearman

RNG = np.random.default_rng(5)
BINARY = (RNG.integers(0, 2, 300), RNG.integers(0, 2, 300))
SCORES = (RNG.normal(size=80), RNG.normal(size=80))
COLUMNS = {
    accuracy: BINARY,
    matthews: BINARY,
    f1: BINARY,
    pearson: SCORES,
    spearman: SCORES,
    perplexity: (RNG.uniform(1, 9, 60), RNG.integers(1, 9, 60)),
}
each_metric = pytest.mark.parametrize("metric", COLUMNS, ids=lambda metric: metric.name)


def confusion(predictions, targets):
    """Rows of each pair of classes 0 and 1, counted one by one."""
    counts = dict.fromkeys(itertools.product((0, 1), repeat=2), 0)
    for pair in zip(predictions, targets, strict=True):
        counts[pair] += 1
    return counts[1, 1], counts[1, 0], counts[0, 1], counts[0, 0]  # true and false positives, false and true negatives


# ---- each metric is its definition


def test_accuracy_is_the_share_of_equal_classes():
    assert accuracy([0, 1, 2, 1], [0, 1, 1, 1]).value == 0.75


def test_matthews_of_two_classes_is_its_formula_over_the_confusion_table():
    tp, fp, fn, tn = confusion(*BINARY)
    formula = (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    assert matthews(*BINARY).value == pytest.approx(formula)


def test_matthews_of_many_classes_is_the_correlation_of_their_indicators():
    rng = np.random.default_rng(1)
    targets = rng.integers(0, 4, 200)
    predictions = np.where(rng.random(200) < 0.5, targets, rng.integers(0, 4, 200))
    one, two = (np.eye(4)[side] - np.eye(4)[side].mean(0) for side in (predictions, targets))
    assert matthews(predictions, targets).value == pytest.approx(
        (one * two).sum() / np.sqrt((one**2).sum() * (two**2).sum())
    )


def test_matthews_is_0_where_one_class_is_always_said():
    assert matthews(np.ones(20), np.arange(20) % 2) == Estimate(0, 0, 0, 20)


def test_f1_is_the_harmonic_mean_of_precision_and_recall_of_class_1():
    tp, fp, fn, _ = confusion(*BINARY)
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    assert f1(*BINARY).value == pytest.approx(2 * precision * recall / (precision + recall))


def test_f1_is_0_where_class_1_is_neither_wanted_nor_said():
    assert f1(np.zeros(5), np.zeros(5)).value == 0


def test_f1_is_of_two_classes():
    with pytest.raises(ValueError, match="other classes than 0 and 1"):
        f1([0, 1, 2], [0, 1, 1])


def test_spearman_with_ties_equals_scipys():
    rng = np.random.default_rng(2)
    first, second = rng.integers(0, 6, 200), rng.normal(size=200)
    assert spearman(first, second).value == pytest.approx(stats.spearmanr(first, second).statistic)


def test_pearson_equals_scipys():
    assert pearson(*SCORES).value == pytest.approx(stats.pearsonr(*SCORES).statistic)


@pytest.mark.parametrize("metric", [pearson, spearman], ids=lambda metric: metric.name)
def test_a_constant_side_has_no_correlation(metric):
    estimate = metric(np.ones(10), np.arange(10))
    assert np.isnan([estimate.value, estimate.low, estimate.high]).all()


def test_perplexity_shares_the_nats_of_all_documents_by_their_units():
    nats, tokens = np.array([20.0, 90.0, 10.0]), np.array([10, 30, 5])
    assert perplexity(nats, tokens).value == pytest.approx(np.exp(120 / 45))


def test_a_uniform_model_has_the_perplexity_of_its_choices_and_no_spread():
    tokens = np.array([3, 50, 7])
    estimate = perplexity(tokens * np.log(100), tokens)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((100, 100, 100))


def test_a_document_without_a_unit_is_refused():
    with pytest.raises(ValueError, match="at least one unit"):
        perplexity([1.0, 2.0], [1, 0])


# ---- intervals


@each_metric
def test_an_interval_equals_scipys_percentile_bootstrap(metric):
    predictions, targets = COLUMNS[metric]

    def on_rows(rows, axis):
        assert axis == -1
        return metric.statistic(predictions[rows].astype(float), targets[rows].astype(float))

    rows = np.arange(len(targets))
    theirs = stats.bootstrap(
        (rows, rows),
        lambda one, _, axis: on_rows(one.astype(int), axis),
        paired=True,
        vectorized=True,
        n_resamples=2000,
        batch=100,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    ours = metric(predictions, targets)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_the_interval_of_an_accuracy_is_close_to_the_binomial_one():
    right = np.random.default_rng(1).random(2000) < 0.8
    estimate = accuracy(right.astype(int), np.ones(2000, dtype=int))
    half = 1.96 * np.sqrt(estimate.value * (1 - estimate.value) / 2000)
    assert estimate.low == pytest.approx(estimate.value - half, abs=0.003)
    assert estimate.high == pytest.approx(estimate.value + half, abs=0.003)


def test_the_interval_of_spearman_resamples_pairs_not_columns():
    scores = np.arange(50.0)
    assert spearman(scores, scores).low == pytest.approx(1)


def test_resamples_without_a_correlation_are_left_out_of_its_interval():
    targets = np.array([0.0, 0, 0, 1])  # a third of the resamples holds zeros alone
    estimate = pearson(np.array([0.1, 0.0, 0.2, 0.9]), targets)
    assert -1 <= estimate.low <= estimate.value <= estimate.high <= 1


@each_metric
def test_an_interval_is_the_same_every_time(metric):
    assert metric(*COLUMNS[metric]) == metric(*COLUMNS[metric])


@pytest.mark.parametrize("columns", [([1, 0], [1]), ([1], [1]), ([[1, 0]], [[1, 0]]), ([[[1, 0]]], [1, 0])])
def test_columns_must_be_one_dimensional_and_equally_long(columns):
    with pytest.raises(ValueError, match="equally long"):
        accuracy(*columns)


def test_predictions_of_no_seed_are_refused():
    with pytest.raises(ValueError, match="at least one seed"):
        accuracy(np.empty((0, 4)), np.ones(4))


# ---- differences and seeds


@each_metric
def test_the_average_over_seeds_is_the_mean_of_their_metrics(metric):
    predictions, targets = COLUMNS[metric]
    seeds = np.stack([predictions, predictions[::-1], np.roll(predictions, 1)])
    assert metric(seeds, targets).value == pytest.approx(np.mean([metric(seed, targets).value for seed in seeds]))


@each_metric
def test_a_difference_is_that_of_the_metrics_and_changes_sign_with_the_order(metric):
    predictions, targets = COLUMNS[metric]
    other = np.roll(predictions, 1)
    there, back = paired(metric, predictions, other, targets), paired(metric, other, predictions, targets)
    assert there.value == pytest.approx(metric(other, targets).value - metric(predictions, targets).value)
    assert (back.value, back.low, back.high) == pytest.approx((-there.value, -there.high, -there.low))


@each_metric
def test_a_model_does_not_differ_from_itself_on_any_resample(metric):
    predictions, targets = COLUMNS[metric]
    assert paired(metric, predictions, predictions, targets) == Estimate(0, 0, 0, len(targets))


def test_a_paired_interval_equals_resampling_by_hand_over_seeds():
    rng = np.random.default_rng(3)
    targets, a, b = rng.integers(0, 2, 90), rng.integers(0, 2, (2, 90)), rng.integers(0, 2, (3, 90))
    draws, differences = np.random.default_rng(0), []
    for _ in range(2000):
        rows = draws.integers(0, 90, 90)
        ours = [np.mean([np.mean(seed[rows] == targets[rows]) for seed in side]) for side in (a, b)]
        differences.append(ours[1] - ours[0])
    estimate = paired(accuracy, a, b, targets)
    assert (estimate.low, estimate.high) == pytest.approx(tuple(np.percentile(differences, [2.5, 97.5])))


def test_pairing_narrows_the_interval_of_two_models_that_err_on_the_same_rows():
    rng = np.random.default_rng(4)
    targets, wrong, differ = np.ones(1000), rng.random(1000) < 0.3, rng.random(1000) < 0.02
    a = np.where(wrong, 0, 1)
    b = np.where(differ, 1 - a, a)
    difference = paired(accuracy, a, b, targets)
    alone = accuracy(a, targets).high - accuracy(a, targets).low
    assert difference.high - difference.low < np.sqrt(2) * alone / 3  # unpaired, the two variances add up
    assert difference.low <= difference.value <= difference.high


def test_people_read_points_of_shares_and_correlations_and_perplexities_as_they_are():
    estimate = Estimate(0.8125, 0.75, 0.875, 64)
    assert accuracy.shown(estimate) == "81.25 [75, 87.5] (n=64)"
    assert perplexity.shown(Estimate(12.5, 12, 13, 9)) == "12.5 [12, 13] (n=9)"
    assert [metric.name for metric in COLUMNS if not metric.higher_is_better] == ["perplexity"]
