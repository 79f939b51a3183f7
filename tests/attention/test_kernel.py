import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from compecon.attention.budget import KeyBudget
from compecon.attention.kernel import Inputs, attend
from compecon.attention.policies.top_k import TopK

SHAPE = (2, 4, 5, 7)  # batch, head, query, key


def tensors(heads: int = 4, key_heads: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    make = lambda *shape: torch.randn(*shape, dtype=torch.float64)  # noqa: E731 - three of a kind
    return make(2, heads, 5, 3), make(2, key_heads, 7, 3), make(2, key_heads, 7, 2)


def variants() -> dict[str, dict[str, object]]:
    torch.manual_seed(0)
    visible = torch.rand(2, 1, 5, 7) < 0.7
    visible[0, 0, 2] = False  # a query that sees nothing
    return {
        "plain": {},
        "boolean mask": {"mask": visible},
        "additive mask": {
            "mask": torch.where(visible, torch.randn(2, 1, 5, 7).double(), torch.finfo(torch.float64).min)
        },
        "causal": {"causal": True},
        "bias": {"bias": torch.randn(1, 4, 5, 7).double()},
        "soft cap": {"softcap": 0.7},
        "sinks": {"sinks": torch.randn(4).double(), "mask": visible},
    }


def by_hand(query, key, value, extra, keys) -> Tensor:
    """Attention of one query at a time, from the definition."""
    groups = query.shape[1] // key.shape[1]
    mixed = torch.zeros(2, query.shape[1], 5, 2, dtype=torch.float64)
    mask, bias, cap, sinks = (extra.get(name) for name in ("mask", "bias", "softcap", "sinks"))
    for b, h, q in torch.cartesian_prod(*(torch.arange(n) for n in (2, query.shape[1], 5))).tolist():
        scores = {}
        for k in range(7):
            score = float(query[b, h, q] @ key[b, h // groups, k]) * 0.5
            score = math.tanh(score / cap) * cap if cap else score
            score += float(bias[0, h, q, k]) if bias is not None else 0.0
            if extra.get("causal") and k > q:
                continue
            if mask is not None and mask.dtype == torch.bool and not mask[b, 0, q, k]:
                continue
            if mask is not None and mask.dtype != torch.bool:
                if mask[b, 0, q, k] < -1e300:
                    continue
                score += float(mask[b, 0, q, k])
            scores[k] = score
        kept = sorted(scores, key=lambda k: -scores[k])[:keys]
        total = sum(math.exp(scores[k]) for k in kept) + (math.exp(float(sinks[h])) if sinks is not None else 0.0)
        for k in kept:
            mixed[b, h, q] += math.exp(scores[k]) / total * value[b, h // groups, k]
    return mixed.transpose(1, 2)


@pytest.mark.parametrize("keys", [2, 7])
@pytest.mark.parametrize("key_heads", [4, 2, 1])
@pytest.mark.parametrize("extra", variants().values(), ids=variants())
def test_attention_agrees_with_its_definition(extra, key_heads, keys):
    query, key, value = tensors(key_heads=key_heads)
    given = attend(
        Inputs(query, key, value, **{"mask": None, "scaling": 0.5} | extra),
        lambda scores, visible: TopK().keep(scores, visible, KeyBudget(keys), layer=0),
    )
    assert torch.allclose(given.mixed, by_hand(query, key, value, extra, keys))


@pytest.mark.parametrize("extra", variants().values(), ids=variants())
def test_gradients_agree_with_finite_differences(extra):
    def run(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        inputs = Inputs(query, key, value, **{"mask": None, "scaling": 0.5} | extra)
        return attend(inputs, lambda scores, visible: TopK().keep(scores, visible, KeyBudget(3), layer=0))[:2]

    leaves = [tensor.requires_grad_() for tensor in tensors(key_heads=2)]
    assert torch.autograd.gradcheck(run, leaves, fast_mode=True)


def test_a_query_that_sees_nothing_reads_nothing():
    query, key, value = tensors()
    mask = torch.ones(SHAPE, dtype=torch.bool)
    mask[1, :, 3] = False
    given = attend(Inputs(query, key, value, mask, scaling=0.5))
    expected = functional.scaled_dot_product_attention(query, key, value, mask, scale=0.5)
    assert torch.allclose(given.mixed, expected.transpose(1, 2))
    assert given.weights[1, :, 3].abs().sum() == 0


def test_a_mask_longer_than_the_keys_is_cut():
    query, key, value = tensors()
    mask = torch.rand(2, 1, 5, 9) < 0.8
    mask[..., 0] = True
    given = attend(Inputs(query, key, value, mask, scaling=0.5))
    assert torch.equal(given.mixed, attend(Inputs(query, key, value, mask[..., :7], scaling=0.5)).mixed)


def test_dropout_thins_out_what_is_mixed_and_not_the_weights():
    query, key, value = tensors()
    dense = attend(Inputs(query, key, value, None, scaling=0.5))
    dropped = [attend(Inputs(query, key, value, None, scaling=0.5, dropout=0.5)) for _ in range(400)]
    assert torch.equal(dropped[0].weights, dense.weights)
    assert not torch.allclose(dropped[0].mixed, dense.mixed)
    mean = torch.stack([output.mixed for output in dropped]).mean(0)
    assert torch.allclose(mean, dense.mixed, atol=0.25)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_score_that_is_not_a_number_is_an_error(value):
    query, key, values = tensors()
    key[1, 2, 3, 0] = value
    with pytest.raises(ValueError, match="NaN"):
        attend(Inputs(query, key, values, None, scaling=0.5))


def test_a_hidden_score_may_be_anything():
    query, key, value = tensors()
    key[1, 2, 3, 0] = math.nan
    mask = torch.ones(SHAPE, dtype=torch.bool)
    mask[1, 2, :, 3] = False
    assert attend(Inputs(query, key, value, mask, scaling=0.5)).mixed.isfinite().all()
