"""What a layer takes by its size: the table that training pays by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from compecon.compression.model_shape import ModelShape
from compecon.flops import macs
from compecon.latency import BlockShape, LatencyCurve, LatencyTable, Workload, measure_blocks
from compecon.latency.block_times import _calls, _input

CURVE = LatencyCurve((0, 1, 4, 6), (0.0, 2.0, 2.0, 5.0))
TABLE = LatencyTable(CURVE, LatencyCurve((0, 32), (0.0, 1e-4)), 32, 8, 1, 16, 1, "cpu")
SHAPE = BlockShape(width=32, d_head=8, heads=4, neurons=64)


def test_between_two_counts_time_is_a_straight_line():
    counts = torch.linspace(0, 6, 61, dtype=torch.float64)
    np.testing.assert_allclose(CURVE.at(counts), np.interp(counts, CURVE.counts, CURVE.seconds), atol=1e-12)


def test_beyond_the_ends_the_last_line_goes_on():
    assert CURVE.at(torch.tensor([-0.5, 7.0])).tolist() == [-1.0, 6.5]


def test_the_slope_is_that_of_finite_differences():
    counts = torch.tensor([[0.3, 2.5], [5.1, 6.4]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(CURVE.at, (counts,))


def test_at_a_measured_count_the_slope_is_the_one_from_below():
    counts = torch.tensor([1.0, 4.0, 6.0], requires_grad=True)
    CURVE.at(counts).sum().backward()
    assert counts.grad.tolist() == [2.0, 0.0, 1.5]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shape_and_dtype_are_those_of_the_counts(dtype):
    found = CURVE.at(torch.rand(2, 3, dtype=dtype))
    assert (found.shape, found.dtype) == ((2, 3), dtype)


@pytest.mark.parametrize(
    ("counts", "seconds", "said"),
    [
        ((1,), (1.0,), "two at least"),
        ((1, 2), (1.0,), "a time for each count"),
        ((2, 1), (1.0, 2.0), "must ascend"),
        ((1, 1), (1.0, 2.0), "must ascend"),
        ((-1, 1), (1.0, 2.0), "whole numbers"),
        ((0.5, 1), (1.0, 2.0), "whole numbers"),
        ((1, 2), (1.0, float("nan")), "finite"),
        ((1, 2), (1.0, float("inf")), "finite"),
        ((1, 2), (-1.0, 2.0), "finite"),
        ((1, 2), (0.0, 0.0), "above 0"),
        ((1, 2), (2.0, 1.0), "must not fall"),
    ],
)
def test_a_curve_that_nobody_can_have_measured_is_refused(counts, seconds, said):
    with pytest.raises(ValueError, match=said):
        LatencyCurve(counts, seconds)


@pytest.mark.parametrize("name", ["width", "d_head", "batch", "n_tokens", "threads"])
def test_a_size_below_one_is_refused(name):
    with pytest.raises(ValueError, match=name):
        replace(TABLE, **{name: 0})


def test_measuring_gives_a_time_for_every_size_that_never_falls():
    table = measure_blocks(SHAPE, Workload(n_tokens=6, batch=2, threads=1), repeats=2)
    assert table.heads.counts == (0, 1, 2, 3, 4)
    assert table.neurons.counts == (0, 8, 16, 24, 32, 40, 48, 56, 64)
    assert (table.heads.seconds[0], table.neurons.seconds[0]) == (0.0, 0.0)
    assert (table.width, table.d_head, table.batch, table.n_tokens, table.threads) == (32, 8, 2, 6, 1)


def test_noise_is_smoothed_by_the_closest_curve_that_never_falls(monkeypatch):
    noisy = [[2.0], [1.0], [4.0], [3.0], [1.0], [2.0]]
    monkeypatch.setattr("compecon.latency.block_times.in_turns", lambda *_a, **_k: noisy)
    table = measure_blocks(SHAPE, Workload(n_tokens=6), neurons=[32, 64])
    assert table.heads.seconds == (0.0, 1.5, 1.5, 3.5, 3.5)  # neighbours out of order share their mean
    assert table.neurons.seconds == (0.0, 1.0, 2.0)


def test_sizes_may_be_chosen():
    table = measure_blocks(SHAPE, Workload(n_tokens=4), heads=[4, 2], neurons=[16, 64, 16], repeats=1)
    assert (table.heads.counts, table.neurons.counts) == ((0, 2, 4), (0, 16, 64))


@pytest.mark.parametrize(("heads", "neurons"), [([0, 1], []), ([5], []), ([], [0]), ([], [65])])
def test_a_size_that_the_dense_layer_does_not_have_is_refused(heads, neurons):
    with pytest.raises(ValueError, match="numbers from 1 to the dense layer's"):
        measure_blocks(SHAPE, Workload(n_tokens=4), heads=heads, neurons=neurons)


@pytest.mark.parametrize("wrong", [{"n_tokens": 0}, {"n_tokens": 1, "batch": 0}, {"n_tokens": 1, "threads": 0}])
def test_a_workload_of_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match=list(wrong)[-1]):
        Workload(**wrong)


def test_what_is_timed_does_the_work_of_a_layer():
    """A whole layer's blocks count as many MACs as the closed form of the same shape."""
    workload = Workload(n_tokens=6)
    x = _input(SHAPE, workload)
    calls = _calls(SHAPE, [SHAPE.heads], [SHAPE.neurons], x)
    with FlopCounterMode(display=False) as counter, torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        shapes = [call().shape for call in calls]
    whole = ModelShape(n_layers=1, n_heads=4, n_kv_heads=4, d_model=32, d_head=8, d_ff=64, mlp_matrices=2)
    assert shapes == [x.shape, x.shape]
    assert counter.get_total_flops() == macs(whole, 6).flops


def test_measuring_leaves_the_random_numbers_of_others_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    measure_blocks(SHAPE, Workload(n_tokens=4), heads=[1], neurons=[8], repeats=1)
    assert torch.equal(torch.rand(3), expected)
