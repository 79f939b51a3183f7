import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from compecon.attention import kernel
from compecon.attention.budget import KeyBudget, PerHead, PerRow
from compecon.attention.kernel import Choose, Inputs, attend
from compecon.attention.policies.first_k import FirstK
from compecon.attention.policies.policy import Origin
from compecon.attention.policies.random_k import RandomK
from compecon.attention.policies.sink_recent import SinkRecent
from compecon.attention.policies.top_k import TopK
from compecon.attention.policies.top_mass import TopMass

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


def top(keys: int) -> Choose:
    """Let each query read that many keys."""
    return lambda visible, shape: TopK().hide(visible, shape, KeyBudget(keys), 0, Origin())


POLICIES = [TopK(), RandomK(seed=3), FirstK(), SinkRecent(sinks=2), TopMass(mass=0.8)]
BUDGETS = [KeyBudget(1), KeyBudget(3), KeyBudget(share=0.4), PerRow([KeyBudget(2), None]), PerHead([KeyBudget(2)] * 4)]


@pytest.mark.parametrize("entries", [1, 80, 1 << 18], ids=["a head", "two heads", "a layer"])
@pytest.mark.parametrize("key_heads", [4, 2])
@pytest.mark.parametrize("budget", BUDGETS, ids=repr)
@pytest.mark.parametrize("policy", POLICIES, ids=repr)
def test_a_layer_in_parts_reads_what_the_policy_keeps_of_the_whole(policy, budget, key_heads, entries, monkeypatch):
    monkeypatch.setattr(kernel, "CHUNK", entries)
    seen = torch.rand(2, 1, 5, 7) < 0.7
    seen[0, 0, 2] = False  # a query that sees nothing
    for dtype, mask, causal in (
        (torch.float32, seen, False),
        (torch.float64, None, True),
        (torch.bfloat16, seen, False),
        (torch.float32, torch.where(seen, 1.0, -torch.inf), False),
    ):
        query, key, value = (tensor.mul(2).round().to(dtype) for tensor in tensors(key_heads=key_heads))  # with ties
        inputs = Inputs(query, key, value, mask, scaling=0.5, causal=causal)
        given = attend(inputs, lambda visible, shape: policy.hide(visible, shape, budget, 1, Origin(2)), by_head=True)
        groups = 4 // key_heads
        scores = (query @ key.repeat_interleave(groups, 1).mT) * 0.5
        visible = torch.ones(5, 7, dtype=torch.bool).tril()[None, None] if causal else seen
        kept = policy.keep(scores, visible, budget, 1, Origin(2)).expand(SHAPE)
        expected = scores.masked_fill(~kept, -torch.inf).softmax(-1, dtype=given.weights.dtype).nan_to_num(0)
        assert torch.equal(given.weights > 0, kept)
        assert torch.allclose(given.weights, expected)
        mixed = expected.to(dtype) @ value.repeat_interleave(groups, 1)
        assert torch.allclose(given.mixed, mixed.transpose(1, 2), atol=1e-2 if dtype == torch.bfloat16 else 1e-6)


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
        top(keys),
    )
    assert torch.allclose(given.mixed, by_hand(query, key, value, extra, keys))


@pytest.mark.parametrize("extra", variants().values(), ids=variants())
def test_gradients_agree_with_finite_differences(extra):
    def run(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        inputs = Inputs(query, key, value, **{"mask": None, "scaling": 0.5} | extra)
        return attend(inputs, top(3))[:2]

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
