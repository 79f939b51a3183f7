"""Every claim holds on every architecture, without a line of code for any of them."""

import pytest
import torch
from torch import Tensor

from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention, recorded_attention
from compecon.attention.policies.first_k import FirstK
from compecon.attention.policies.random_k import RandomK
from compecon.attention.policies.sink_recent import SinkRecent
from compecon.attention.policies.top_k import TopK
from compecon.attention.policies.top_mass import TopMass

SIDES = ("right", "left")


def usable(family, batch) -> Tensor:
    """What may be compared: a padded query has no defined answer."""
    if family.inputs != "text":
        return torch.ones(1, 1, 1, dtype=torch.bool)
    return batch["attention_mask"].bool()[..., None]


def plain(model) -> str:
    return "sdpa" if model._supports_sdpa and model.config.model_type != "gemma2" else "eager"


@pytest.mark.parametrize("side", SIDES)
@torch.inference_mode()
def test_a_budget_that_does_not_bind_changes_nothing(family, side):
    model, batch = family.model(), family.batch(side)
    model.set_attn_implementation(plain(model))
    expected = model(**batch)[0]
    with budgeted_attention(model, KeyBudget(keys=1000)):
        given = model(**batch)[0]
    assert torch.where(usable(family, batch), given - expected, 0).abs().max() < 1e-5


@pytest.mark.parametrize("side", SIDES)
@torch.inference_mode()
def test_after_a_block_the_model_answers_as_before(family, side):
    model, batch = family.model(), family.batch(side)
    expected = model(**batch)[0]
    with budgeted_attention(model, KeyBudget(keys=2)):
        model(**batch)
    assert torch.where(usable(family, batch), model(**batch)[0] - expected, 0).abs().max() < 1e-5


@pytest.mark.parametrize("side", SIDES)
@torch.inference_mode()
def test_recorded_weights_are_those_of_eager_attention(family, side):
    model, batch = family.model(), family.batch(side)
    model.set_attn_implementation("eager")
    output = model(**batch, output_attentions=True)
    with recorded_attention(model) as records:
        model(**batch)
    eager = {
        "encoder": output.get("encoder_attentions", output.get("attentions")),
        "decoder": output.get("decoder_attentions", output.get("attentions")),
        "cross": output.get("cross_attentions"),
    }
    for record in records:
        reads = record.visible.any(-1, keepdim=True)  # eager lets a query that sees nothing read everything
        difference = record.weights - eager[record.stack][record.layer]
        assert torch.where(reads, difference, 0).abs().max() < 1e-6
        assert record.weights[~record.visible.expand_as(record.weights)].abs().sum() == 0


@torch.inference_mode()
def test_layers_are_counted_from_0_within_their_stack(family):
    model = family.model()
    with recorded_attention(model) as records:
        model(**family.batch())
    expected = {(stack, layer) for stack, depth in family.stacks.items() for layer in range(depth)}
    assert {(record.stack, record.layer) for record in records} == expected
    assert len(records) == len(expected)


@pytest.mark.parametrize("policy", [TopK(), RandomK(), FirstK(), SinkRecent(sinks=1)], ids=repr)
@torch.inference_mode()
def test_every_query_reads_exactly_its_budget_or_all_it_sees(family, policy):
    model, batch = family.model(), family.batch()
    with budgeted_attention(model, KeyBudget(keys=3), policy), recorded_attention(model) as records:
        model(**batch)
    for record in records:
        expected = record.visible.sum(-1).clamp(max=3).expand(record.weights.shape[:-1])
        assert torch.equal((record.weights > 0).sum(-1), expected)


@torch.inference_mode()
def test_a_tight_budget_changes_the_answer(family):
    model, batch = family.model(), family.batch()
    expected = model(**batch)[0]
    with budgeted_attention(model, KeyBudget(keys=1)):
        given = model(**batch)[0]
    assert torch.where(usable(family, batch), given - expected, 0).abs().max() > 1e-4


@torch.inference_mode()
def test_padding_changes_nothing_under_a_budget(families):
    for name in ("Bert", "GPT2", "Llama"):
        model, batch = families[name].model(), families[name].batch()
        alone = {"input_ids": batch["input_ids"][1:, :8], "attention_mask": batch["attention_mask"][1:, :8]}
        with budgeted_attention(model, KeyBudget(share=0.5)):
            together, single = model(**batch)[0][1:, :8], model(**alone)[0]
        assert torch.allclose(together, single, atol=1e-5), name


def test_gradients_under_a_budget_that_does_not_bind_are_those_of_eager_attention(family):
    def gradients() -> dict[str, Tensor]:
        model.zero_grad()
        torch.where(usable(family, batch), model(**batch)[0], 0).square().sum().backward()
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}

    model, batch = family.model(), family.batch()
    model.set_attn_implementation("eager")
    expected = gradients()
    with budgeted_attention(model, KeyBudget(keys=1000)):
        given = gradients()
    assert given.keys() == expected.keys()
    for name, gradient in given.items():
        assert torch.allclose(gradient, expected[name], rtol=1e-3, atol=1e-4), name


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str)
@torch.inference_mode()
def test_any_floating_type_works(families, dtype):
    for name in ("Bert", "Llama", "T5"):
        family = families[name]
        model, batch = family.model().to(dtype), family.batch()
        with budgeted_attention(model, KeyBudget(keys=3)), recorded_attention(model) as records:
            output = model(**batch)[0]
        assert output.dtype == dtype
        assert output.isfinite().all()
        for record in records:
            assert record.weights.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
            assert (record.weights > 0).sum(-1).max() == 3


POLICIES = [TopK(), RandomK(), RandomK(seed=7), FirstK(), SinkRecent(sinks=2), TopMass(mass=0.5)]


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
@pytest.mark.parametrize("budget", [KeyBudget(keys=3), KeyBudget(share=0.4)], ids=str)
@pytest.mark.parametrize("name", ["GPT2", "Llama"])
@pytest.mark.parametrize("side", SIDES)
@torch.inference_mode()
def test_a_key_cache_changes_nothing(families, name, policy, budget, side):
    model, batch = families[name].model("LMHeadModel" if name == "GPT2" else "ForCausalLM"), families[name].batch(side)
    if side == "right":
        batch = {key: value[:1] for key, value in batch.items()}
    settings = {"max_new_tokens": 8, "do_sample": False, "pad_token_id": 0, "eos_token_id": None}
    with budgeted_attention(model, budget, policy):
        cached = model.generate(**batch, **settings, use_cache=True)
        anew = model.generate(**batch, **settings, use_cache=False)
    assert torch.equal(cached, anew)


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
@pytest.mark.parametrize("name", ["GPT2", "Llama", "Mistral", "Gemma2", "T5", "Bart"])
@torch.inference_mode()
def test_caches_of_every_kind_change_nothing(families, name, policy):
    """Preallocated ones too, those that forget what left the window, and those of a decoder that reads an encoder."""
    heads = {"GPT2": "LMHeadModel", "T5": "ForConditionalGeneration", "Bart": "ForConditionalGeneration"}
    model, batch = families[name].model(heads.get(name, "ForCausalLM")), families[name].batch("left")
    given = {key: value for key, value in batch.items() if not key.startswith("decoder")}
    settings = {"max_new_tokens": 9, "do_sample": False, "pad_token_id": 0, "eos_token_id": None, "num_beams": 1}
    settings |= {"output_logits": True, "return_dict_in_generate": True, "min_new_tokens": 9}
    model.generation_config.forced_eos_token_id = None
    caches = [{"use_cache": False}, {"use_cache": True}, {"cache_implementation": "static"}]
    with budgeted_attention(model, KeyBudget(keys=3), policy):
        expected, *others = (model.generate(**given, **settings, **cache) for cache in caches)
    for other in others:
        assert torch.equal(other.sequences, expected.sequences)
        for one, logits in zip(other.logits, expected.logits, strict=True):
            assert torch.allclose(one, logits, atol=1e-4)


@pytest.mark.parametrize("cache", [{"use_cache": True}, {"cache_implementation": "static"}], ids=str)
@torch.inference_mode()
def test_random_keys_are_drawn_anew_at_every_decoding_step(families, cache):
    for name, head, stack in (("Llama", "ForCausalLM", "decoder"), ("T5", "ForConditionalGeneration", "cross")):
        model, batch = families[name].model(head), families[name].batch("left")
        given = {key: value[:1] for key, value in batch.items() if not key.startswith("decoder")}
        settings = {"max_new_tokens": 12, "do_sample": False, "pad_token_id": 0, "eos_token_id": None}
        with budgeted_attention(model, KeyBudget(keys=2), RandomK()), recorded_attention(model, layers=[0]) as records:
            model.generate(**given, **settings, **cache)
        steps = [record for record in records if record.stack == stack and record.weights.shape[2] == 1]
        drawn = {tuple((record.weights[0, 0, 0] > 0).nonzero().flatten().tolist()) for record in steps}
        assert len(steps) >= 10
        assert len(drawn) > 5
