"""Costs of gates against brute force: every set of open units, every measured number of them."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from compecon.compression.compact_model import compact
from compecon.compression.units import UnitMacs, share_of_macs, unit_macs
from compecon.incentives.costs.attention_l1 import AttentionL1
from compecon.incentives.costs.latency import ExpectedLatency
from compecon.incentives.costs.macs import ExpectedMacs
from compecon.incentives.gates import Gates
from compecon.latency import LatencyCurve, LatencyTable

N_TOKENS = 7


def table(heads: LatencyCurve, neurons: LatencyCurve) -> LatencyTable:
    return LatencyTable(heads, neurons, width=32, d_head=8, batch=1, n_tokens=N_TOKENS, threads=1, device="cpu")


KINKED = table(LatencyCurve((0, 1, 4), (0.0, 3.0, 6.0)), LatencyCurve((0, 8, 24), (0.0, 1.0, 9.0)))


def random_gates(model: nn.Module, **learn: bool) -> Gates:
    return Gates(unit_macs(model, N_TOKENS).map(lambda part: 2 * torch.randn(len(part))), **learn)


def read(cost, model, gates):
    with cost.metered(model, gates) as value:
        return value(None)


@pytest.mark.parametrize("cost", [ExpectedMacs(N_TOKENS), ExpectedLatency(KINKED)])
def test_the_model_with_all_gates_open_costs_what_all_units_do(model, cost):
    open_gates = Gates(unit_macs(model, N_TOKENS).map(lambda part: torch.full((len(part),), 50.0)))
    macs = unit_macs(model, N_TOKENS)
    all_of_it = float(macs.total()) / macs.dense if isinstance(cost, ExpectedMacs) else 1  # the last layer is cheaper
    assert float(read(cost, model, open_gates).detach()) == pytest.approx(all_of_it, abs=1e-6)


@pytest.mark.parametrize("cost", [ExpectedMacs(N_TOKENS), ExpectedLatency(KINKED)])
def test_a_cost_of_gates_needs_gates(model, cost):
    with pytest.raises(ValueError, match="cost of gates"), cost.metered(model, None):
        pass
    with AttentionL1().metered(model, None):
        pass


def test_expected_macs_are_the_mean_over_every_set_of_open_units():
    """Three heads and four neurons: 2⁷ sets, each with its chance and its share."""
    macs = UnitMacs((torch.full((3,), 10.0).double(),), (torch.full((4,), 3.0).double(),), dense=50.0)
    gates = Gates(macs.map(lambda part: torch.randn(len(part))))
    chance = gates.chance_open().joined().detach().double()
    expected = 0.0
    for opened in itertools.product([0.0, 1.0], repeat=7):
        keep = torch.tensor(opened, dtype=torch.float64)
        expected += float((chance * keep + (1 - chance) * (1 - keep)).prod()) * share_of_macs(macs.split(keep), macs)
    total = (gates.chance_open().joined() * macs.joined()).sum() / macs.dense
    assert float(total.detach()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("learn", [{}, {"learn_heads": False}, {"learn_neurons": False}])
def test_expected_macs_are_the_mean_of_what_draws_leave(model, learn):
    gates, macs = random_gates(model, **learn), unit_macs(model, N_TOKENS)
    with torch.no_grad():
        told = float(read(ExpectedMacs(N_TOKENS), model, gates))
        drawn = torch.tensor([share_of_macs(gates(), macs) for _ in range(400)])
    assert told == pytest.approx(float(drawn.mean()), abs=5 * float(drawn.std()) / 20)


def test_gates_that_are_certain_cost_what_the_compacted_model_has_left(model):
    values = unit_macs(model, N_TOKENS).map(lambda part: (torch.rand(len(part)) < 0.6).float())
    values.heads[0][:] = torch.tensor([1.0, 0.0, 0.0, 1.0])
    gates = Gates(values.map(lambda part: torch.where(part > 0, 80.0, -80.0)))
    told = float(read(ExpectedMacs(N_TOKENS), model, gates).detach())
    left = unit_macs(compact(model, values), N_TOKENS)
    assert told == pytest.approx(float(left.total()) / unit_macs(model, N_TOKENS).dense, rel=1e-6)


def test_the_gradient_of_expected_macs_is_the_price_of_each_unit(model):
    gates, macs = random_gates(model), unit_macs(model, N_TOKENS)
    read(ExpectedMacs(N_TOKENS), model, gates).backward()
    p = gates.chance_open().joined().detach()
    told = torch.cat([part.grad for part in (*gates.heads, *gates.neurons)])
    expected = p * (1 - p) * macs.joined() / macs.dense
    torch.testing.assert_close(told, expected.float(), rtol=1e-4, atol=1e-9)
    assert (told > 0).all()


def test_expected_latency_is_read_off_the_table_layer_by_layer(model):
    gates = random_gates(model)
    seconds, dense = 0.0, 0.0
    for kind, curve in (("heads", KINKED.heads), ("neurons", KINKED.neurons)):
        for part in getattr(gates.chance_open(), kind):
            seconds += float(curve.at(part.detach().sum()))
            dense += float(curve.at(torch.tensor(float(len(part)))))
    assert float(read(ExpectedLatency(KINKED), model, gates).detach()) == pytest.approx(seconds / dense, rel=1e-5)


def test_the_gradient_of_expected_latency_is_the_slope_of_the_curve(model):
    gates = random_gates(model)
    read(ExpectedLatency(KINKED), model, gates).backward()
    dense = len(gates.heads) * (6 + 9)
    for kind, knots in (("heads", [(1, 3.0), (4, 1.0)]), ("neurons", [(8, 1 / 8), (24, 0.5)])):
        for part, chance in zip(getattr(gates, kind), getattr(gates.chance_open(), kind), strict=True):
            p = chance.detach()
            slope = next(slope for end, slope in knots if p.sum() <= end)
            torch.testing.assert_close(part.grad, p * (1 - p) * slope / dense, rtol=1e-4, atol=1e-9)


def test_the_share_of_time_counts_whole_units(model):
    values = unit_macs(model, N_TOKENS).map(torch.zeros_like)
    values.heads[0][:2] = 0.3
    values.neurons[1][:8] = 1.0
    assert ExpectedLatency(KINKED).share(values, values) == pytest.approx((4.0 + 1.0) / (2 * 15.0))
    assert ExpectedLatency(KINKED).share(values.map(torch.ones_like), values) == pytest.approx(1)


def test_units_that_save_no_time_have_no_slope(model):
    """A device that is as slow with one neuron as with all: closing some of them is worth nothing."""
    flat = table(LatencyCurve((0, 4), (0.0, 4.0)), LatencyCurve((0, 1, 24), (0.0, 5.0, 5.0)))
    gates = Gates(unit_macs(model, N_TOKENS).map(lambda part: torch.zeros(len(part))))
    read(ExpectedLatency(flat), model, gates).backward()
    assert all((part.grad == 0).all() for part in gates.neurons)
    assert all((part.grad > 0).all() for part in gates.heads)
