"""Taking turns, and the number that comes of it: checked on sides whose times are known, never on a real clock."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator

import pytest
import torch
from scipy.stats import bootstrap

from compecon.latency import compare_latency
from compecon.latency.clock import device_of, in_turns


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def side(self, *seconds: float) -> object:
        """A call that takes the given times, over and over."""
        times: Iterator[float] = itertools.cycle(seconds)

        def call() -> torch.Tensor:
            self.now += next(times)
            return torch.zeros(1)

        return call


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("compecon.latency.clock.time", made)
    return made


def test_the_sides_take_turns_there_and_back():
    order: list[str] = []
    in_turns([lambda: order.append("A"), lambda: order.append("B")], repeats=4, warmup=1, limit_s=60)
    assert "".join(order) == "AB" + "ABBAABBA"


def test_a_sample_is_the_time_of_its_call(clock):
    times = in_turns([clock.side(1.0, 2.0, 3.0), clock.side(0.5)], repeats=2, warmup=1, limit_s=60)
    assert times == [[2.0, 3.0], [0.5, 0.5]]


@pytest.mark.parametrize(("limit_s", "rounds"), [(1e-6, 2), (2.5, 2), (4.5, 4), (1000, 9)])
def test_it_stops_after_the_limit_but_only_between_there_and_back(clock, limit_s, rounds):
    times = in_turns([clock.side(0.5), clock.side(0.5)], repeats=9, warmup=1, limit_s=limit_s)
    assert [len(samples) for samples in times] == [rounds, rounds]


def test_a_slow_warm_up_is_cut_short_too(clock):
    calls: list[float] = []
    slow = clock.side(10.0)
    in_turns([lambda: (calls.append(clock.now), slow())], repeats=2, warmup=1000, limit_s=35)
    assert len(calls) == 4 + 2


@pytest.mark.parametrize("wrong", [{"repeats": 0}, {"warmup": -1}, {"limit_s": 0.0}, {"limit_s": float("nan")}])
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        in_turns([lambda: None], **{"repeats": 1, "warmup": 0, "limit_s": 1.0, **wrong})


def test_the_ratio_is_that_of_the_medians(clock):
    dense, compact = [4.0, 5.0, 6.5, 6.0, 4.5], [2.0, 2.5, 3.0, 2.0, 2.2]
    found = compare_latency(clock.side(*dense), clock.side(*compact), repeats=5, warmup=3)  # 1 + 3 calls come before
    assert found.dense_seconds == pytest.approx(statistics.median(dense))
    assert found.compact_seconds == pytest.approx(statistics.median(compact))
    assert found.ratio == found.compact_seconds / found.dense_seconds
    assert found.low <= found.ratio <= found.high
    assert (found.repeats, found.device) == (5, "cpu")


def test_the_interval_is_the_percentile_bootstrap_over_rounds(clock):
    generator = torch.Generator().manual_seed(3)
    dense = (2 + torch.rand(41, generator=generator)).tolist()
    compact = [
        0.6 * time + 0.1 * noise
        for time, noise in zip(dense, torch.rand(41, generator=generator).tolist(), strict=True)
    ]
    found = compare_latency(clock.side(*dense), clock.side(*compact), repeats=41, warmup=40, limit_s=1e6)
    reference = bootstrap(
        (compact, dense),
        lambda a, b: statistics.median(a) / statistics.median(b),
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=2000,
        rng=0,
    ).confidence_interval
    width = reference.high - reference.low
    assert found.low == pytest.approx(reference.low, abs=0.2 * width)
    assert found.high == pytest.approx(reference.high, abs=0.2 * width)


def test_a_moment_that_slows_both_sides_alike_leaves_the_interval_narrow(clock):
    dense = [1.0, 3.0, 1.5, 2.0, 1.0, 9.0]
    found = compare_latency(clock.side(*dense), clock.side(*(time / 2 for time in dense)), repeats=24, warmup=5)
    assert (found.low, found.ratio, found.high) == pytest.approx((0.5, 0.5, 0.5))


def test_torch_runs_on_as_many_threads_as_asked_and_then_as_before():
    before, seen = torch.get_num_threads(), []
    found = compare_latency(lambda: seen.append(torch.get_num_threads()), lambda: None, repeats=2, warmup=0, threads=2)
    assert (set(seen), found.threads, torch.get_num_threads()) == ({2}, 2, before)


def test_models_run_in_inference_mode():
    seen: list[bool] = []
    compare_latency(lambda: seen.append(torch.is_inference_mode_enabled()), lambda: None, repeats=1)
    assert all(seen)


def test_no_thread_is_no_number_of_threads():
    with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
        compare_latency(lambda: None, lambda: None, threads=0)


def test_two_devices_are_not_compared():
    with pytest.raises(ValueError, match="dense ran on cpu and compact on meta"):
        compare_latency(lambda: torch.zeros(1), lambda: torch.zeros(1, device="meta"))


@pytest.mark.parametrize(
    ("result", "device"),
    [
        (torch.zeros(1, device="meta"), "meta"),
        ({"loss": None, "logits": torch.zeros(1)}, "cpu"),
        ((None, [torch.zeros(1, device="meta")]), "meta"),
        (None, "None"),
        ("text", "None"),
    ],
)
def test_the_device_is_that_of_the_first_tensor_given_back(result, device):
    assert str(device_of(result)) == device
