"""A training whose price is time: its target is a share of dense time, and nothing is cut by force."""

from __future__ import annotations

import pytest
import torch

from compecon.incentives.costs import COSTS
from compecon.incentives.costs.latency import ExpectedLatency
from compecon.latency import LatencyCurve, LatencyTable, Workload
from compecon.tasks.objectives import classification_loss
from compecon.training.incentive import train_incentive
from compecon.training.incentive_settings import IncentiveSettings
from compecon.training.training_settings import FineTuneSettings
from tests.support.outside import NAMES, registered

SETTINGS = FineTuneSettings(steps=12, batch_size=4, precision="float32", device="cpu")
TABLE = LatencyTable(
    LatencyCurve((0, 2), (0.0, 1.0)),
    LatencyCurve((0, 32), (0.0, 3.0)),
    16,
    8,
    batch=4,
    n_tokens=4,
    threads=1,
    device="cpu",
)


@pytest.fixture
def asked(monkeypatch):
    """What was to be measured; the answer is always the same table."""
    seen = []

    def measured(shape, workload):
        seen.append((shape, workload))
        return TABLE

    monkeypatch.setattr("compecon.incentives.costs.latency.measure_blocks", measured)
    return seen


def trained(tokenizer, model, rows, target, **how):
    incentive = IncentiveSettings(cost="latency", target=target, **how)
    return train_incentive(model, tokenizer, rows, classification_loss(), incentive, SETTINGS)


def test_time_is_measured_on_the_dense_layer_at_the_mean_length_and_batch(tokenizer, tiny_bert, rows_of, asked):
    trained(tokenizer, tiny_bert(), rows_of(), 0.99)
    [(shape, workload)] = asked
    assert (shape.width, shape.d_head, shape.heads, shape.neurons) == (16, 8, 2, 32)
    assert (workload.n_tokens, workload.batch, workload.device) == (4, 4, "cpu")  # 3, 4, 5 and 6 tokens: 4.5, to even


def test_a_target_of_time_is_met_by_the_gates_or_said_not_to_be(tokenizer, tiny_bert, rows_of, asked):
    result = trained(tokenizer, tiny_bert(), rows_of(), 0.01, start="open")
    assert not result.met
    left = ExpectedLatency(TABLE).share(result.values, result.values.map(torch.ones_like))
    assert left > 0.01  # not cut by force
    assert result.priced.history[-1].share == pytest.approx(left)
    easy = trained(tokenizer, tiny_bert(), rows_of(), 1.0)
    assert easy.met
    assert easy.priced.steps == 1
    assert len(asked) == 2


@pytest.mark.parametrize("model", ["tiny_bert", "tiny_gpt2"])
def test_this_device_is_measured_for_real(request, model):
    built = request.getfixturevalue(model)
    built = built() if callable(built) and not isinstance(built, torch.nn.Module) else built
    cost = COSTS.load("latency").for_training(built, Workload(n_tokens=4, batch=1))
    assert isinstance(cost, ExpectedLatency)
    assert cost.table.width == built.config.hidden_size
    assert cost.table.heads.counts[-1] == built.config.num_attention_heads


def test_a_cost_of_another_package_that_counts_no_macs_is_met_or_said_not_to_be(tokenizer, tiny_bert, rows_of):
    with registered("cost"):
        how = {"cost": NAMES["cost"], "target": 0.01, "start": "open"}
        incentive = IncentiveSettings(**how)
        result = train_incentive(tiny_bert(), tokenizer, rows_of(), classification_loss(), incentive, SETTINGS)
    heads = torch.cat(result.values.heads)
    assert result.priced.history[-1].share == pytest.approx(float((heads != 0).double().mean()))
    assert not result.met
    assert bool((heads != 0).all())  # MACs say nothing about it, so nothing was cut by them
