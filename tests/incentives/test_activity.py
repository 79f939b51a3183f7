"""Costs of activity against their definitions, and what a descent on each of them really does to a model."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertForSequenceClassification

from compecon.attention.hooks import recorded_attention
from compecon.compression.compact_model import compact
from compecon.compression.families import Layer, layers_of
from compecon.compression.units import Units, unit_macs
from compecon.incentives.costs import COSTS as METHODS
from compecon.incentives.costs.attention_l1 import AttentionL1
from compecon.incentives.costs.cost import ComputeCost
from compecon.incentives.costs.effective_keys import EffectiveKeys
from compecon.incentives.costs.ffn_l1 import FfnL1
from compecon.incentives.costs.group_lasso import GroupLasso
from compecon.incentives.costs.relative import NAME
from compecon.incentives.costs.score_l1 import ScoreL1

COSTS = [AttentionL1, EffectiveKeys, FfnL1, GroupLasso, ScoreL1]
RELATIVE = [FfnL1, GroupLasso, ScoreL1]
Batch = dict[str, Tensor]


def read_once(model: nn.Module, batch: Batch, cost: ComputeCost, mask: Tensor | None = None) -> Tensor:
    with cost.metered(model, None) as read:
        model(**batch)
        return read(batch["attention_mask"] if mask is None else mask)


def mean_entropy(model: nn.Module, batch: Batch) -> float:
    """Nats, over real queries of all heads and layers."""
    real = batch["attention_mask"].bool()
    with torch.no_grad(), recorded_attention(model) as seen:
        model(**batch)
    rows = [one.weights.transpose(1, 2)[real] for one in seen]
    return float(torch.stack([torch.special.entr(row).sum(-1).mean() for row in rows]).mean())


def step_down(model: nn.Module, batch: Batch, cost: ComputeCost, rate: float) -> None:
    """One small step of normalised descent on the cost alone."""
    read_once(model, batch, cost).backward()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= rate * parameter.grad / parameter.grad.norm().clamp_min(1e-12)


def into(modules: dict[str, nn.Module], run: Callable[[], object]) -> dict[str, Tensor]:
    """What enters each of some modules while a function runs, by name."""
    seen: dict[str, Tensor] = {}

    def noted(name: str) -> Callable[..., None]:
        return lambda _module, inputs: seen.update({name: inputs[0].detach()})

    handles = [module.register_forward_pre_hook(noted(name)) for name, module in modules.items()]
    with torch.no_grad():
        run()
    for handle in handles:
        handle.remove()
    return seen


def scores_of(layer: Layer, hidden: Tensor) -> Tensor:
    """(batch, head, query, key) from the projections' weights alone."""
    query, key, _ = torch.cat([project(hidden) for project in layer.projections], -1).chunk(3, -1)
    split = [part.unflatten(-1, (layer.n_heads, layer.d_head)).transpose(1, 2) for part in (query, key)]
    return split[0] @ split[1].transpose(-1, -2) / math.sqrt(layer.d_head)


def columns(matrix: nn.Module) -> Tensor:
    """(output, input) whichever way the matrix is stored."""
    return matrix.weight if isinstance(matrix, nn.Linear) else matrix.weight.T


def test_no_cost_of_activity_claims_to_remove_work_and_those_of_gates_do():
    removing = {name for name, cost in METHODS.items() if cost.removes_work}
    assert {METHODS.load(name) for name in METHODS.keys() - removing} == set(COSTS)
    assert all(METHODS.load(name).share is not ComputeCost.share for name in removing)


@pytest.mark.parametrize("cost", COSTS)
def test_a_cost_is_a_share_at_the_start_and_later(model, batch, cost):
    with cost().metered(model, None) as read:
        for _ in range(4):
            model(**batch)
            value = read(batch["attention_mask"])
            assert 0 <= value <= 1 + 1e-6
            model.zero_grad()
            value.backward()
            with torch.no_grad():
                for parameter in model.parameters():
                    if parameter.grad is not None:
                        parameter += 0.05 * torch.randn_like(parameter)


@pytest.mark.parametrize("cost", COSTS)
def test_what_is_padded_costs_nothing(model, batch, cost):
    """What stands there changes nothing; and the texts alone, weighted by their tokens (for scores, by the pairs of
    tokens that see each other), give the mean of the batch."""
    causal = model.config.model_type == "gpt2"
    other = batch | {"input_ids": torch.where(batch["attention_mask"].bool(), batch["input_ids"], 7)}
    with torch.no_grad():
        torch.testing.assert_close(raw(model, other, cost()), raw(model, batch, cost()))
    if cost is GroupLasso:
        return  # no mean: a root of a mean
    parts, weights = [], []
    for row, n in enumerate(batch["attention_mask"].sum(-1).tolist()):
        alone = {name: part[row : row + 1, :n] for name, part in batch.items()}
        with torch.no_grad():
            parts.append(raw(model, alone, cost()))
        weights.append(n if cost is not ScoreL1 else n * (n + 1) / 2 if causal else n * n)
    with torch.no_grad():
        together = raw(model, batch, cost())
    expected = sum(part * weight for part, weight in zip(parts, weights, strict=True)) / sum(weights)
    torch.testing.assert_close(together, expected, rtol=1e-4, atol=1e-6)


def raw(model: nn.Module, batch: Batch, cost: ComputeCost) -> Tensor:
    """A cost as it is, before it is made relative."""
    with cost.metered(model, None) as read:
        model(**batch)
        value = read(batch["attention_mask"])
        return getattr(model, NAME).value.clone() if hasattr(model, NAME) else value


def test_without_a_mask_all_tokens_count(model, batch):
    whole = {"input_ids": batch["input_ids"]}
    for cost in COSTS:
        with torch.no_grad(), cost().metered(model, None) as read:
            model(**whole)
            first = read(None)
            model(**whole)
            torch.testing.assert_close(read(torch.ones_like(batch["attention_mask"])), first)


def test_attention_weights_have_an_l1_norm_of_one_and_no_gradient(model, batch):
    value = read_once(model.double(), batch, AttentionL1())
    assert float(value.detach()) == pytest.approx(1, abs=1e-6)
    value.backward()
    gradients = [part.grad.abs().max() for part in model.parameters() if part.grad is not None]
    assert gradients
    assert max(gradients) <= 1e-6


def test_dropout_does_not_move_the_l1_norm_of_attention(batch):
    config = BertConfig(vocab_size=50, hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=24)
    model = BertForSequenceClassification(config).train()
    assert config.attention_probs_dropout_prob > 0
    assert float(read_once(model, batch, AttentionL1()).detach()) == pytest.approx(1, abs=1e-6)


def test_effective_keys_are_the_exponential_of_entropy_as_a_share_of_what_is_seen(model, batch):
    real = batch["attention_mask"].bool()
    with torch.no_grad(), recorded_attention(model) as seen:
        model(**batch)
    parts = []
    for one in seen:
        effective = torch.special.entr(one.weights).sum(-1).exp() / one.visible.expand_as(one.weights).sum(-1)
        parts.append(effective.transpose(1, 2)[real].mean())
    with torch.no_grad():
        torch.testing.assert_close(read_once(model, batch, EffectiveKeys()), torch.stack(parts).mean())


@pytest.mark.parametrize("model", ["gpt2"], indirect=True)
def test_texts_padded_on_the_left_cost_the_same_keys(model, batch):
    alone = {name: part[:1, :5] for name, part in batch.items()}
    left = {
        "input_ids": torch.cat([torch.zeros(1, 2, dtype=torch.long), alone["input_ids"]], 1),
        "attention_mask": torch.tensor([[0, 0, 1, 1, 1, 1, 1]]),
        "position_ids": torch.tensor([[0, 0, 0, 1, 2, 3, 4]]),
    }
    with torch.no_grad():
        expected = read_once(model, alone, EffectiveKeys())
        torch.testing.assert_close(read_once(model, left, EffectiveKeys()), expected)


def test_descent_on_effective_keys_sharpens_attention(model, batch):
    before = mean_entropy(model, batch)
    step_down(model, batch, EffectiveKeys(), 0.02)
    assert mean_entropy(model, batch) < before


def test_descent_on_attention_scores_flattens_attention(model, batch):
    before = mean_entropy(model, batch)
    step_down(model, batch, ScoreL1(), 0.02)
    assert mean_entropy(model, batch) > before


def test_score_l1_is_the_mean_absolute_score_that_a_query_can_see(model, batch):
    layers = layers_of(model)
    with torch.no_grad():
        hidden = into({str(i): layer.projections[0] for i, layer in enumerate(layers)}, lambda: model(**batch))
        real = batch["attention_mask"].bool()
        pairs = real[:, :, None] & real[:, None, :]
        pairs = pairs.tril() if model.config.model_type == "gpt2" else pairs
        expected = []
        for i, layer in enumerate(layers):
            scores = scores_of(layer, hidden[str(i)]).abs()
            expected.append(scores.masked_select(pairs[:, None].expand_as(scores)).mean())
        torch.testing.assert_close(raw(model, batch, ScoreL1()), torch.stack(expected).sum(), rtol=1e-5, atol=1e-6)


def test_ffn_l1_is_the_mean_absolute_activation_of_real_tokens(model, batch):
    modules = {str(i): layer.neurons_out for i, layer in enumerate(layers_of(model))}
    active = into(modules, lambda: model(**batch))
    real = batch["attention_mask"].bool()
    expected = sum(values[real].abs().mean() for values in active.values())
    with torch.no_grad():
        torch.testing.assert_close(raw(model, batch, FfnL1()), expected)


def test_group_lasso_is_the_size_of_what_each_unit_sends_into_the_residual_stream(model, batch):
    layers, real = layers_of(model), batch["attention_mask"].bool()
    modules = {f"heads{i}": layer.heads_out for i, layer in enumerate(layers)}
    modules |= {f"neurons{i}": layer.neurons_out for i, layer in enumerate(layers)}
    seen = into(modules, lambda: model(**batch))
    expected = torch.tensor(0.0)
    for i, layer in enumerate(layers):
        for kind, width in (("heads", layer.d_head), ("neurons", 1)):
            squares = seen[f"{kind}{i}"][real].square().mean(0) * columns(modules[f"{kind}{i}"]).square().sum(0)
            expected = expected + squares.unflatten(0, (-1, width)).sum(-1).sqrt().sum()
    with torch.no_grad():
        torch.testing.assert_close(raw(model, batch, GroupLasso()), expected, rtol=1e-4, atol=1e-4)


def with_relu(model: nn.Module) -> nn.Module:
    """With the activation that a positive constant passes through."""
    names = {"BertIntermediate": "intermediate_act_fn", "FFN": "activation", "GPT2MLP": "act"}
    for module in model.modules():
        if name := names.get(type(module).__name__.replace("Roberta", "Bert")):
            setattr(module, name, nn.ReLU())
    return model


def scaled_ffn(model: nn.Module, factor: float) -> None:
    """Divide the first FFN matrices by a factor and multiply the second by it."""
    for layer in layers_of(model):
        with torch.no_grad():
            layer.neurons_in.weight /= factor
            layer.neurons_in.bias /= factor
            layer.neurons_out.weight *= factor


def test_ffn_l1_falls_and_group_lasso_stays_when_one_matrix_is_scaled_against_the_other(model, batch):
    with_relu(model)
    with torch.no_grad():
        logits, cost, group = model(**batch).logits, raw(model, batch, FfnL1()), raw(model, batch, GroupLasso())
        scaled_ffn(model, 100)
        torch.testing.assert_close(model(**batch).logits, logits, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(raw(model, batch, FfnL1()), cost / 100, rtol=1e-3, atol=1e-6)
        torch.testing.assert_close(raw(model, batch, GroupLasso()), group, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("cost", RELATIVE)
def test_above_its_start_a_cost_reads_one_and_still_has_a_slope(model, batch, cost):
    with cost().metered(model, None) as read:
        model(**batch)
        read(batch["attention_mask"])
        with torch.no_grad():
            for layer in layers_of(model):
                for matrix in (*layer.projections, layer.neurons_in, layer.neurons_out, layer.heads_out):
                    matrix.weight *= 2
        model(**batch)
        value = read(batch["attention_mask"])
        assert float(value.detach()) == 1
        value.backward()
    assert any(part.grad is not None and part.grad.abs().sum() > 0 for part in model.parameters())


@pytest.mark.parametrize("cost", RELATIVE)
def test_the_start_of_a_cost_is_part_of_the_model_within_the_block_only(model, cost):
    names = set(model.state_dict())
    with cost().metered(model, None):
        assert set(model.state_dict()) - names == {f"{NAME}.value"}
        with pytest.raises(ValueError, match="being read already"), cost().metered(model, None):
            pass
    assert set(model.state_dict()) == names


@pytest.mark.parametrize("cost", RELATIVE)
def test_an_error_while_a_cost_is_read_leaves_the_model_as_it_was(model, cost):
    names = set(model.state_dict())
    with pytest.raises(KeyError), cost().metered(model, None):
        raise KeyError
    assert set(model.state_dict()) == names
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize("cost", RELATIVE)
def test_a_cost_goes_on_from_the_start_that_a_checkpoint_holds(model, batch, cost):
    with torch.no_grad(), cost().metered(model, None) as read:
        model(**batch)
        read(batch["attention_mask"])
        start = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad(), cost().metered(model, None) as read:
        start[f"{NAME}.value"] *= 2
        model.load_state_dict(start)
        model(**batch)
        torch.testing.assert_close(read(batch["attention_mask"]), torch.tensor(0.5))


@pytest.mark.parametrize("cost", COSTS)
def test_layers_without_heads_cost_what_is_left(model, batch, cost):
    values = unit_macs(model, 7).map(torch.ones_like)
    values.heads[0][:] = 0
    smaller = compact(model, Units(values.heads, values.neurons))
    with torch.no_grad():
        assert read_once(smaller, batch, cost()).isfinite()
