"""Every public entry point gives on another device what it gives on the CPU."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertForSequenceClassification, GPT2Config, GPT2LMHeadModel

from compecon.attention import (
    FirstK,
    KeyBudget,
    PerLayer,
    Policy,
    RandomK,
    SinkRecent,
    TopK,
    TopMass,
    budgeted_attention,
    recorded_attention,
)
from compecon.attention.key_budget_sweep import sweep
from compecon.attention.selection import keep_largest, sort_descending
from compecon.compression.compact_model import compact
from compecon.compression.importance import IMPORTANCES
from compecon.compression.prune_model import prune
from compecon.compression.units import unit_macs
from compecon.incentives.costs.attention_l1 import AttentionL1
from compecon.incentives.costs.cost import ComputeCost
from compecon.incentives.costs.effective_keys import EffectiveKeys
from compecon.incentives.costs.ffn_l1 import FfnL1
from compecon.incentives.costs.group_lasso import GroupLasso
from compecon.incentives.costs.macs import ExpectedMacs
from compecon.incentives.costs.score_l1 import ScoreL1
from compecon.incentives.gates import Gates, gated
from compecon.stats import inequality as metrics
from compecon.stats.lorenz import bottom_share, lorenz_curve, top_share
from compecon.stats.received_attention import received, retained_mass

_SIZES = {"vocab_size": 50, "initializer_range": 0.2}


def _bert() -> nn.Module:
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24}
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return BertForSequenceClassification(BertConfig(**_SIZES, **sizes, **still)).eval()


def _gpt2() -> nn.Module:
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_inner": 24, "n_positions": 32}
    still = {"embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0}
    return GPT2LMHeadModel(GPT2Config(**_SIZES, **sizes, **still, bos_token_id=0, eos_token_id=0)).eval()


@pytest.fixture(params=[_bert, _gpt2], ids=["bert", "gpt2"])
def here(request: pytest.FixtureRequest) -> nn.Module:
    """A model on the CPU."""
    torch.manual_seed(0)
    return request.param()


@pytest.fixture
def batch() -> dict[str, Tensor]:
    ids = torch.randint(1, 50, (3, 12), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, 7:] = 0
    return {"input_ids": ids, "attention_mask": mask}


def _on(device: torch.device, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: part.to(device) for name, part in batch.items()}


def _there(model: nn.Module, device: torch.device) -> nn.Module:
    return copy.deepcopy(model).to(device)


def _assert_alike(found: Any, expected: Any) -> None:
    torch.testing.assert_close(found.detach().cpu(), expected.detach(), rtol=1e-4, atol=1e-5)


def _logits(model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
    logits: Tensor = model(**batch).logits
    return logits[batch["attention_mask"].bool().cpu()] if logits.ndim == 3 else logits


@pytest.mark.parametrize(
    "policy", [TopK(), RandomK(seed=3), FirstK(), SinkRecent(), TopMass(0.8)], ids=lambda policy: type(policy).__name__
)
@pytest.mark.parametrize("budget", [KeyBudget(keys=1), KeyBudget(keys=5), KeyBudget(share=0.5)], ids=str)
def test_a_budget_leaves_the_same_attention(
    here: nn.Module, batch: dict[str, Tensor], policy: Policy, budget: KeyBudget, device: torch.device
) -> None:
    passes = []
    for model, inputs in ((here, batch), (_there(here, device), _on(device, batch))):
        with torch.no_grad(), budgeted_attention(model, budget, policy), recorded_attention(model) as records:
            passes.append((_logits(model, inputs), records))
    (expected, records), (found, records_there) = passes
    _assert_alike(found, expected)
    for one, other in zip(records, records_there, strict=True):
        assert torch.equal(one.visible.expand_as(one.weights), other.visible.cpu().expand_as(other.weights))
        _assert_alike(other.weights, one.weights)


def test_every_layer_may_have_a_budget_of_its_own(
    here: nn.Module, batch: dict[str, Tensor], device: torch.device
) -> None:
    budget, found = PerLayer([KeyBudget(keys=2), None]), []
    for model, inputs in ((here, batch), (_there(here, device), _on(device, batch))):
        with torch.no_grad(), budgeted_attention(model, budget):
            found.append(_logits(model, inputs))
    _assert_alike(found[1], found[0])


def test_a_sweep_gives_the_same_points(here: nn.Module, batch: dict[str, Tensor], device: torch.device) -> None:
    budgets = [None, KeyBudget(keys=8), KeyBudget(keys=3), KeyBudget(keys=1)]
    one = {name: part[:1] for name, part in batch.items()}
    there = sweep(_there(here, device), _on(device, one), budgets)
    for point, expected in zip(there, sweep(here, one, budgets), strict=True):
        _assert_alike(point.output.logits, expected.output.logits)
        for layer, other in zip(point.attention, expected.attention, strict=True):
            _assert_alike(layer.weights, other.weights)


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_selection_is_that_of_the_cpu_ties_included(kind: torch.dtype, device: torch.device) -> None:
    dice = torch.Generator().manual_seed(0)
    merit = torch.randint(-3, 3, (40, 9), generator=dice).to(kind)  # many ties
    merit[torch.rand(merit.shape, generator=dice) < 0.3] = -torch.inf
    for limit in (1, 4, 9, 20):
        assert torch.equal(keep_largest(merit.to(device), limit).cpu(), keep_largest(merit, limit))
    limits = torch.randint(1, 12, (40, 1), generator=dice)
    assert torch.equal(keep_largest(merit.to(device), limits.to(device)).cpu(), keep_largest(merit, limits))
    assert torch.equal(sort_descending(merit.to(device)).cpu(), sort_descending(merit))


def test_nan_is_refused_there_too(device: torch.device) -> None:
    with pytest.raises(ValueError, match="NaN"):
        keep_largest(torch.tensor([[1.0, torch.nan, 0.0]]).to(device), 1)


@pytest.mark.parametrize(
    "statistic",
    [
        metrics.gini,
        metrics.entropy,
        metrics.effective_number,
        metrics.herfindahl,
        received,
        lambda weights, visible: top_share(weights, 0.2, visible),
        lambda weights, visible: bottom_share(weights, 0.5, visible),
        lambda weights, _: lorenz_curve(weights),
        lambda weights, _: retained_mass(weights, 2),
        lambda weights, visible: torch.stack(list(vars_of(metrics.summary(weights, visible)))),
    ],
)
def test_statistics_are_those_of_the_cpu(statistic: Callable[..., Tensor], device: torch.device) -> None:
    visible = torch.ones(2, 3, 6, 6, dtype=torch.bool).tril()
    scores = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(0)).masked_fill(~visible, -torch.inf)
    weights = scores.softmax(-1)
    _assert_alike(statistic(weights.to(device), visible.to(device)), statistic(weights, visible))


def vars_of(found: Any) -> list[Tensor]:
    """The tensors of a frozen record with slots."""
    return [getattr(found, name) for name in found.__dataclass_fields__]


def test_gates_price_and_compaction_give_the_same_small_model(
    here: nn.Module, batch: dict[str, Tensor], device: torch.device
) -> None:
    macs, small = unit_macs(here, 12), []
    for model, inputs in ((here, batch), (_there(here, device), _on(device, batch))):
        logits = macs.map(lambda part: torch.linspace(-3, 3, len(part)))
        gates = Gates(logits).to(inputs["input_ids"].device).eval()
        with gated(model, gates), ExpectedMacs(12).metered(model, gates) as read:
            (_logits(model, inputs).square().mean() + read(inputs["attention_mask"])).backward()
        assert all(gate.grad is not None for gate in gates.parameters())
        values = gates.hardened(macs, 0.5)
        left = compact(model, values)
        with torch.no_grad():
            small.append(_logits(left, inputs))
    _assert_alike(small[1], small[0])


@pytest.mark.parametrize("method", IMPORTANCES)
def test_every_method_prunes_the_same_units(method: str, device: torch.device) -> None:
    torch.manual_seed(0)
    here = _bert()
    ids = torch.randint(1, 50, (8, 10), generator=torch.Generator().manual_seed(0))
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids[:, 0] % 2}

    def loss(model: Any, inputs: Mapping[str, Tensor]) -> Tensor:
        found: Tensor = model(**inputs).loss
        return found

    one = prune(here, method, 0.5, n_tokens=10, batches=[batch], loss=loss)
    other = prune(_there(here, device), method, 0.5, n_tokens=10, batches=[_on(device, batch)], loss=loss)
    assert one.counts() == other.counts()
    np.testing.assert_allclose(other.joined().numpy(), one.joined().numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "cost", [EffectiveKeys(), AttentionL1(), ScoreL1(), FfnL1(), GroupLasso()], ids=lambda c: type(c).__name__
)
def test_costs_of_activity_are_those_of_the_cpu(
    cost: ComputeCost, batch: dict[str, Tensor], device: torch.device
) -> None:
    torch.manual_seed(0)
    here = _bert()
    found = []
    for model, inputs in ((here, batch), (_there(here, device), _on(device, batch))):
        with cost.metered(model, None) as read:
            _logits(model, inputs)
            found.append(read(inputs["attention_mask"]))
    _assert_alike(found[1], found[0])
