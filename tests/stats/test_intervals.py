"""Intervals against SciPy's, and the resamples that all of them share."""

import numpy as np
import pytest
from scipy.stats import binomtest, bootstrap

from compecon.stats.intervals import (
    RESAMPLES,
    bootstrapped,
    mean_interval,
    percentile_ends,
    resample_shares,
    resampled_rows,
    wilson,
)


@pytest.mark.parametrize(("right", "n"), [(0, 7), (3, 10), (400, 400), (123, 500)])
def test_the_interval_of_a_share_is_wilsons(right: int, n: int) -> None:
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert wilson(right, n) == pytest.approx((right / n, expected.low, expected.high))


def test_shares_of_nothing_may_be_anything() -> None:
    found = wilson(np.array([2, 0, 0]), np.array([4, 3, 0]))
    assert found.value.tolist() == [0.5, 0, 0]
    assert (found.low[2], found.high[2]) == (0, 1)
    assert 0 < found.low[0] < 0.5 < found.high[0] < 1
    assert found.low[1] == 0 < found.high[1] < 1


def test_the_interval_of_a_mean_is_that_of_scipys_percentile_bootstrap() -> None:
    values = np.random.default_rng(2).exponential(size=60)
    found = mean_interval(values)
    expected = bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=0).confidence_interval
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.02)
    assert found == mean_interval(values)


def test_what_is_the_same_for_all_rows_has_no_width() -> None:
    assert bootstrapped(3, lambda weights: weights @ np.ones(3)) == pytest.approx((1, 1, 1))


@pytest.mark.parametrize("at_once", [1, 7, 100, RESAMPLES])
def test_resamples_do_not_depend_on_how_many_are_drawn_at_once(at_once: int) -> None:
    [whole] = resampled_rows(11)
    parts = list(resampled_rows(11, at_once))
    assert max(map(len, parts)) <= at_once
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_resample_is_how_often_each_row_was_drawn() -> None:
    [whole] = resampled_rows(7)
    assert len(whole) == RESAMPLES
    expected = [np.bincount(rows, minlength=7) / 7 for rows in whole]
    np.testing.assert_allclose(resample_shares(7), expected)


def test_a_statistic_that_some_resamples_lack_has_the_interval_of_the_others() -> None:
    values = np.arange(101.0)
    assert percentile_ends(np.append(values, np.nan)) == pytest.approx((2.5, 97.5))
    assert np.isnan(percentile_ends([np.nan, np.nan])).all()
    assert percentile_ends([]) == pytest.approx((np.nan, np.nan), nan_ok=True)
