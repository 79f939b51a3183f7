"""Selection, masks, caches and half precision on another device."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor
from transformers import BertConfig, BertForSequenceClassification, GPT2Config, GPT2LMHeadModel

from compecon.attention.budget import Budget, KeyBudget, PerHead, PerRow
from compecon.attention.hooks import budgeted_attention, recorded_attention
from compecon.attention.masks import visible_keys
from compecon.attention.policies.first_k import FirstK
from compecon.attention.policies.policy import Policy
from compecon.attention.policies.random_k import RandomK
from compecon.attention.policies.sink_recent import SinkRecent
from compecon.attention.policies.top_k import TopK
from compecon.attention.policies.top_mass import TopMass

POLICIES = [TopK(), RandomK(), FirstK(), SinkRecent(sinks=1), TopMass(mass=0.5)]
BUDGETS = [KeyBudget(2), KeyBudget(share=0.4), PerRow((KeyBudget(1), None)), PerHead((KeyBudget(1), None, None, None))]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: type(policy).__name__)
@pytest.mark.parametrize("budget", BUDGETS, ids=["keys", "share", "per row", "per head"])
def test_every_policy_marks_the_same_keys(device: torch.device, policy: Policy, budget: Budget) -> None:
    scores = torch.randn(2, 4, 6, 9).mul(2).round()  # with ties
    visible = torch.rand(2, 1, 6, 9) < 0.7
    visible[0, 0, 2] = False
    expected = policy.keep(scores, visible, budget, layer=1).expand(scores.shape)
    given = policy.keep(scores.to(device), visible.to(device), budget, layer=1).expand(scores.shape)
    assert given.device.type == device.type
    assert torch.equal(given.cpu(), expected)


def test_a_mask_of_floats_hides_the_same_keys(device: torch.device) -> None:
    scores, mask = torch.randn(2, 4, 6, 9), torch.where(torch.rand(2, 1, 6, 9) < 0.3, -100.0, torch.randn(1, 4, 6, 9))
    assert torch.equal(visible_keys(mask.to(device), scores.to(device)).cpu(), visible_keys(mask, scores))


@torch.no_grad()
def test_decoding_with_a_cache_writes_the_same_tokens(device: torch.device) -> None:
    torch.manual_seed(0)
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 50, "n_positions": 32}
    model = GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=1, eos_token_id=1)).eval()
    ids: Tensor = torch.randint(2, 50, (1, 5))
    texts = []
    for one, given in ((model, ids), (copy.deepcopy(model).to(device), ids.to(device))):
        past, read, written = None, given, []
        for _ in range(5):
            with budgeted_attention(one, KeyBudget(2), RandomK()):
                output = one(input_ids=read, past_key_values=past, use_cache=True)
            past, read = output.past_key_values, output.logits[:, -1:].argmax(-1)
            written.append(int(read.cpu()))
        texts.append(written)
    assert texts[0] == texts[1]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@torch.no_grad()
def test_half_precision_reads_as_many_keys(device: torch.device, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 16}
    model = BertForSequenceClassification(BertConfig(**sizes, vocab_size=50)).eval().to(dtype).to(device)
    mask = torch.ones(2, 9, dtype=torch.long)
    mask[1, 6:] = 0
    batch = {"input_ids": torch.randint(2, 50, (2, 9)).to(device), "attention_mask": mask.to(device)}
    for policy in POLICIES:
        with budgeted_attention(model, KeyBudget(2), policy), recorded_attention(model) as records:
            logits = model(**batch).logits
        assert logits.dtype == dtype
        assert bool(logits.isfinite().all())
        assert int((records[0].weights > 0).sum(-1).max()) == 2
