"""What a mask of floats hides, against its definition, in the conventions of the model families."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
import transformers
from torch import Tensor

from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention, recorded_attention
from compecon.attention.kernel import Inputs, attend
from compecon.attention.masks import visible_keys
from compecon.attention.policies.random_k import RandomK
from compecon.attention.policies.top_k import TopK
from compecon.stats.inequality import gini

_LOWEST = torch.finfo(torch.float32).min
_KEYS = 12


def hidden_keys() -> Tensor:
    """Padding and the future, with rows in which nothing is seen."""
    hidden = torch.rand(2, 1, 6, _KEYS) < 0.4
    hidden[0, 0, 3] = True
    hidden[1, 0, 2, 1:] = True
    return hidden


def biases() -> dict[str, Tensor]:
    """Added to scores by models, and hiding nothing."""
    distance = (torch.arange(6).view(-1, 1) - torch.arange(_KEYS)).abs().float()
    slopes = torch.tensor([0.7, 0.5, 0.1]).view(1, 3, 1, 1)
    return {
        "none": torch.zeros(1, 1, 1, 1),
        "ones where seen": torch.ones(1, 1, 1, 1),  # EoMT
        "positions": torch.randn(1, 3, 6, _KEYS) * 4,  # Swin, BEiT, T5
        "ALiBi": -slopes * distance,
        "steep ALiBi": -3 * slopes * distance,  # the farthest keys get no weight
    }


def by_definition(mask: Tensor, scores: Tensor) -> np.ndarray:
    """One row after the other, in float64."""
    mask, scores = (np.broadcast_to(part.double().numpy(), scores.shape) for part in (mask, scores))
    visible = np.ones(scores.shape, dtype=bool)
    for row in np.ndindex(scores.shape[:-1]):
        low = mask[row] <= _LOWEST / 2
        visible[row] = ~low
        heights = sorted(set(mask[row][~low]), reverse=True)
        floor = next((above for above, below in pairwise(heights) if above - below > 32), -np.inf)
        logits = np.where(low, -np.inf, np.where(low, 0, mask[row]) + scores[row])
        weights = np.exp(logits - logits.max()) if (~low).any() else np.zeros(_KEYS)
        weights /= max(weights.sum(), 1e-300)
        total = 0.0
        for key in sorted(np.flatnonzero(~low & (mask[row] < floor)), key=lambda key: weights[key]):
            total += weights[key]
            visible[row][key] = total > np.finfo(np.float32).eps
    return visible


@pytest.mark.parametrize("bias", biases())
@pytest.mark.parametrize("low", [-100.0, -1e4, -1e9, _LOWEST, -torch.inf])
def test_what_is_hidden_is_what_the_definition_says(bias, low):
    scores, hidden, added = torch.randn(2, 3, 6, _KEYS) * 3, hidden_keys(), biases()[bias]
    mask = added + torch.zeros(2, 1, 6, _KEYS).masked_fill(hidden, low)
    visible = visible_keys(mask, scores).expand(scores.shape)
    assert np.array_equal(visible.numpy(), by_definition(mask, scores))
    sees = ~hidden.all(-1, keepdim=True).expand(2, 3, 6, 1)  # a row lowered as a whole is read by its model as it is
    assert torch.equal(visible & sees, ~hidden & sees)


@pytest.mark.parametrize("bias", biases())
def test_a_bias_alone_hides_nothing(bias):
    assert visible_keys(biases()[bias], torch.randn(2, 3, 6, _KEYS) * 20).all()


@pytest.mark.parametrize("low", [-100.0, -1e4, -1e9])
def test_what_is_hidden_weighs_nothing_in_the_models_own_softmax(low):
    scores = torch.randn(2, 3, 6, _KEYS) * 20  # some make up for -100
    mask = torch.zeros(2, 1, 6, _KEYS).masked_fill(hidden_keys(), low)
    own = (scores + mask).softmax(-1)
    visible = visible_keys(mask, scores).expand(scores.shape)
    assert (own * ~visible).sum(-1).max() <= torch.finfo(torch.float32).eps
    query, key, value = scores, torch.eye(_KEYS).expand(2, 3, -1, -1), torch.eye(_KEYS).expand(2, 3, -1, -1)
    given = attend(Inputs(query, key, value, mask, scaling=1.0))
    assert torch.allclose(given.weights, own, atol=1e-6)
    assert torch.allclose(given.mixed.transpose(1, 2), own, atol=1e-6)


def test_a_penalty_that_scores_make_up_for_hides_nothing():
    scores = torch.tensor([0.0, 110.0, -5.0]).view(1, 1, 1, 3)
    mask = torch.tensor([0.0, -100.0, -100.0]).view(1, 1, 1, 3)
    assert visible_keys(mask, scores).flatten().tolist() == [True, True, False]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_masks_of_any_floating_type(dtype):
    low = torch.finfo(dtype).min
    mask = torch.tensor([0.0, -100.0, -1e4, low, -torch.inf], dtype=dtype).view(1, 1, 1, 5)
    assert visible_keys(mask, torch.zeros(1, 1, 1, 5, dtype=dtype)).flatten().tolist() == [True] + [False] * 4


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (torch.tensor([0.0, -45.0]), "lowers some scores by 45"),
        (torch.tensor([1, 0]), "booleans or floats"),
        (torch.tensor([0.0, math.nan]), "NaN"),
    ],
)
def test_what_cannot_be_decided_is_refused(mask, words):
    tensors = (torch.randn(1, 1, n, 4) for n in (1, 2, 2))
    with pytest.raises(ValueError, match=words):
        attend(Inputs(*tensors, mask.view(1, 1, 1, 2), scaling=0.5))


def test_a_gradient_reaches_a_bias_that_is_summed_with_a_mask():
    bias = torch.randn(1, 3, 6, _KEYS, requires_grad=True)
    hidden = torch.zeros(1, 1, 6, _KEYS, dtype=torch.bool)
    hidden[..., 5:] = True
    tensors = (torch.randn(2, 3, n, 4) for n in (6, _KEYS, _KEYS))
    attend(Inputs(*tensors, bias + torch.where(hidden, -100.0, 0.0), scaling=0.5)).mixed.square().sum().backward()
    assert (bias.grad[..., :5] != 0).all()
    assert (bias.grad[..., 5:] == 0).all()


def swin() -> tuple[torch.nn.Module, dict[str, Tensor]]:
    config = transformers.SwinConfig(
        image_size=32, patch_size=2, embed_dim=16, depths=[2, 2], num_heads=[2, 2], window_size=4
    )
    model = transformers.SwinModel(config).eval()
    for name, parameter in model.named_parameters():
        if "relative_position_bias_table" in name:
            torch.nn.init.normal_(parameter, std=3)
    return model, {"pixel_values": torch.randn(2, 3, 32, 32)}


def eomt() -> tuple[torch.nn.Module, dict[str, Tensor]]:
    shape = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "mlp_ratio": 1, "num_blocks": 1}
    config = transformers.EomtConfig(**shape, num_queries=5, image_size=32, patch_size=8, num_labels=3)
    model = transformers.EomtForUniversalSegmentation(config).eval()
    model.attn_mask_probs.fill_(1.0)
    return model, {"pixel_values": torch.randn(2, 3, 32, 32)}


def bert_with(low: float) -> tuple[torch.nn.Module, dict[str, Tensor]]:
    config = transformers.BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, vocab_size=50
    )
    mask = torch.zeros(2, 1, 10, 10)
    mask[1, ..., 6:] = low
    batch = {"input_ids": torch.randint(2, 50, (2, 10)), "attention_mask": mask}
    return transformers.BertModel(config).eval(), batch


@pytest.mark.parametrize(
    "make",
    [swin, eomt, lambda: bert_with(-1e4), lambda: bert_with(-1e9)],
    ids=["Swin", "EoMT", "-1e4", "-1e9"],
)
@torch.inference_mode()
def test_models_that_hide_with_low_numbers(make):
    model, batch = make()
    model.set_attn_implementation("eager")
    expected = model(**batch)
    with recorded_attention(model) as dense:
        given = model(**batch)
    for name, value in expected.items():
        if isinstance(value, Tensor):
            assert torch.allclose(given[name], value, atol=1e-5), name
    assert any(not record.visible.all() for record in dense)
    for record in dense:  # what the models' own softmax reads, to a rounding error; and n is what is visible
        reads = record.weights > 1e-12
        assert torch.equal(record.visible.expand_as(reads), reads)
        n = record.visible.expand_as(reads).sum(-1)
        assert (gini(record.weights, record.visible) <= 1 - 1 / n + 1e-6).all()
    for policy in (RandomK(), TopK()):
        with budgeted_attention(model, KeyBudget(share=0.5), policy), recorded_attention(model) as records:
            model(**batch)
        for record in records:
            visible = record.visible.expand_as(record.weights)
            assert record.weights[~visible].abs().sum() == 0
            assert torch.equal((record.weights > 0).sum(-1), (visible.sum(-1) + 1) // 2)
