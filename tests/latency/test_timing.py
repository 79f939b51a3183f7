"""Quartiles of times, against Python's own."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compecon.latency import Timing


@given(st.lists(st.floats(0, 10), min_size=2, max_size=40))
def test_a_timing_is_the_quartiles_of_its_samples(seconds: list[float]) -> None:
    low, median, high = statistics.quantiles(seconds, n=4, method="inclusive")
    found = Timing.of(seconds)
    assert (found.low, found.median, found.high) == pytest.approx((low, median, high))


def test_one_sample_is_all_three_and_none_is_refused() -> None:
    assert Timing.of([0.5]) == Timing(0.5, 0.5, 0.5)
    with pytest.raises(ValueError, match="at least one"):
        Timing.of([])
