"""Last layers at one position against transformers' own, which computes them whole."""

from __future__ import annotations

import copy
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor
from torch.utils.checkpoint import checkpoint
from transformers import AutoModelForSequenceClassification

from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention, recorded_attention
from compecon.attention.padding import forward
from compecon.attention.policies import POLICIES
from compecon.compression.compact_model import compact
from compecon.compression.families import layers_of, unit_counts
from compecon.compression.last_layer import at_one_position, every_position, serve_one_position, serves_one_position
from compecon.compression.read_position import position_read
from compecon.compression.scaled import scaled
from compecon.compression.units import Units
from compecon.errors import UnsupportedModelError

_BERT = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24, "vocab_size": 50,
    "max_position_embeddings": 32, "initializer_range": 0.2, "num_labels": 3,
}  # fmt: skip
_STILL = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
SIZES: dict[str, dict[str, Any]] = {
    "Bert": _BERT | _STILL,
    "Roberta": _BERT | _STILL,
    "XLMRoberta": _BERT | _STILL,
    "Camembert": _BERT | _STILL,
    "Electra": _BERT | _STILL | {"embedding_size": 16, "summary_last_dropout": 0.0},
    "DistilBert": {
        "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 24, "vocab_size": 50, "initializer_range": 0.2,
        "num_labels": 3, "dropout": 0.0, "attention_dropout": 0.0, "seq_classif_dropout": 0.0,
    },
    "GPT2": {
        "n_embd": 32, "n_layer": 2, "n_head": 4, "n_inner": 24, "vocab_size": 50, "n_positions": 32, "num_labels": 3,
        "initializer_range": 0.2, "pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 2,
        "embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0,
    },
}  # fmt: skip
FAMILIES = pytest.mark.parametrize("family", SIZES)
ATTENTION = pytest.mark.parametrize("attention", ["sdpa", "eager"])


def dense(family: str, head: str = "ForSequenceClassification") -> Any:
    torch.manual_seed(0)
    model = getattr(transformers, family + head)(getattr(transformers, f"{family}Config")(**SIZES[family])).eval()
    for weight in model.parameters():  # biases and norms start at 0 and 1, where mistakes do not show
        weight.data += 0.1 * torch.randn_like(weight)
    return model


def small(family: str) -> Any:
    model = dense(family)
    keep = Units.full(unit_counts(model), 1.0)
    keep.heads[0][1] = keep.heads[1][0] = 0
    keep.neurons[1][::3] = 0.5
    return compact(model, keep)


def ragged(side: str, *, padding: int = 1, with_mask: bool = True) -> dict[str, Tensor]:
    ids = torch.randint(3, 50, (4, 9), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    for row, absent in enumerate((0, 2, 5, 8)):
        gone = slice(9 - absent, 9) if side == "right" else slice(0, absent)
        mask[row, gone], ids[row, gone] = 0, padding
    return {"input_ids": ids, "attention_mask": mask} if with_mask else {"input_ids": ids}


def alone() -> dict[str, Tensor]:
    return {"input_ids": torch.randint(3, 50, (1, 7), generator=torch.Generator().manual_seed(0))}


BATCHES = {
    "right": ragged("right"),
    "left": ragged("left"),
    "without a mask": ragged("right", with_mask=False),
    "one text": alone(),
    "one token": {"input_ids": torch.tensor([[7]])},
    "padding alone": {"input_ids": torch.full((2, 4), 1), "attention_mask": torch.ones(2, 4).long()},
}
GIVEN = pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)


@torch.no_grad()
def whole(model: Any, batch: dict[str, Tensor], **options: Any) -> Any:
    with every_position():
        return model(**batch, **options)


def assert_served(model: Any, n: int) -> None:
    """The neurons of the last layer see one token of each text, those of the first all."""
    seen: list[int] = []
    handles = [
        layer.neurons_out.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape[1]))
        for layer in layers_of(model)
    ]
    model(input_ids=torch.full((1, n), 5))
    for handle in handles:
        handle.remove()
    assert seen == [n, 1]


@ATTENTION
@GIVEN
@FAMILIES
def test_logits_are_those_of_transformers(family, batch, attention):
    model = dense(family)
    model.set_attn_implementation(attention)
    with torch.no_grad():
        expected = model(**batch).logits
        with at_one_position(model):
            assert_served(model, 6)
            torch.testing.assert_close(model(**batch).logits, expected, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(model(**batch).logits, expected, atol=0, rtol=0)


@GIVEN
@FAMILIES
def test_gradients_are_those_of_transformers(family, batch):
    model, other = dense(family).train(), dense(family).train()
    labels = torch.arange(len(batch["input_ids"])) % 3
    expected = model(**batch, labels=labels).loss
    expected.backward()
    with at_one_position(other):
        loss = other(**batch, labels=labels).loss
        loss.backward()
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=1e-5)
    for (name, weight), there in zip(model.named_parameters(), other.parameters(), strict=True):
        if weight.grad is not None or there.grad is not None:
            torch.testing.assert_close(there.grad, weight.grad, atol=1e-5, rtol=1e-4, msg=lambda m, name=name: name + m)


@pytest.mark.parametrize("reentrant", [True, False])
@FAMILIES
def test_gradients_are_the_same_where_activations_are_recomputed(family, reentrant):
    plain, saving = dense(family).train(), dense(family).train()
    for part in (saving, *saving.modules()):
        if hasattr(part, "gradient_checkpointing"):
            part.gradient_checkpointing = True
            part._gradient_checkpointing_func = partial(checkpoint, use_reentrant=reentrant)
    saving.enable_input_require_grads()
    batch = ragged("right")
    for model, options in ((plain, {}), (saving, {"use_cache": False} if family == "GPT2" else {})):
        with at_one_position(model):
            logits = model(**batch, **options).logits
        logits.square().sum().backward()
    for one, other in zip(plain.parameters(), saving.parameters(), strict=True):
        if one.grad is not None:
            torch.testing.assert_close(other.grad, one.grad, atol=1e-4, rtol=1e-4)


@GIVEN
@FAMILIES
def test_a_compact_classifier_does_it_by_itself_and_keeps_it_when_saved(family, batch, tmp_path):
    model = small(family)
    assert model.config.compact["one_position"] is True
    assert_served(model, 6)
    expected = whole(model, batch).logits
    model.save_pretrained(tmp_path)
    for one in (model, AutoModelForSequenceClassification.from_pretrained(tmp_path), copy.deepcopy(model)):
        assert_served(one, 6)
        with torch.no_grad():
            torch.testing.assert_close(one(**batch).logits, expected, atol=1e-5, rtol=1e-5)


@FAMILIES
def test_a_folder_from_before_loads_and_computes_the_same(family, tmp_path):
    model = small(family)
    model.config.compact = {name: model.config.compact[name] for name in ("heads", "neurons")}
    model.save_pretrained(tmp_path)
    old = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert not serves_one_position(old)
    torch.testing.assert_close(old(**alone()).logits, whole(model, alone()).logits, atol=0, rtol=0)


@pytest.mark.parametrize("name", POLICIES)
@FAMILIES
def test_budgets_and_recordings_read_whole_layers(family, name):
    model, batch = small(family), ragged("right")
    policy = POLICIES.make(name)
    with torch.no_grad(), budgeted_attention(model, KeyBudget(keys=2), policy), recorded_attention(model) as seen:
        found = model(**batch).logits
    with torch.no_grad(), budgeted_attention(model, KeyBudget(keys=2), policy), every_position():
        expected = model(**batch).logits
    assert [record.weights.shape[2] for record in seen] == [9, 9]
    torch.testing.assert_close(found, expected, atol=0, rtol=0)
    with torch.no_grad():
        torch.testing.assert_close(model(**batch).logits, whole(model, batch).logits, atol=1e-5, rtol=1e-5)


@FAMILIES
def test_returned_states_and_attention_are_those_of_whole_layers(family):
    model, batch = small(family), ragged("right")
    model.set_attn_implementation("eager")
    asked = {"output_hidden_states": True, "output_attentions": True}
    expected = whole(model, batch, **asked)
    with torch.no_grad():
        found = model(**batch, **asked)
    torch.testing.assert_close(found.hidden_states, expected.hidden_states, atol=0, rtol=0)
    torch.testing.assert_close(found.attentions, expected.attentions, atol=0, rtol=0)
    model.config.output_hidden_states = True
    assert model(**batch).hidden_states[-1].std(1).max() > 0


def test_values_of_units_act_at_the_position_that_is_served():
    model, batch = dense("Bert"), ragged("right")
    values = Units.full(unit_counts(model), 1.0).map(torch.rand_like)
    with torch.no_grad(), scaled(model, values):
        expected = model(**batch).logits
        with at_one_position(model):
            torch.testing.assert_close(model(**batch).logits, expected, atol=1e-5, rtol=1e-5)


def test_a_decoder_without_a_padding_token_reads_each_text_as_if_alone():
    model, batch = small("GPT2"), ragged("right")
    model.config.pad_token_id = None
    with torch.no_grad():
        found = forward(model, batch).logits
        texts = [ids[mask.bool()][None] for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True)]
        torch.testing.assert_close(found, torch.cat([model(ids).logits for ids in texts]), atol=1e-5, rtol=1e-5)


def test_embedded_inputs_are_read_at_their_end():
    model = dense("GPT2")
    given = {"inputs_embeds": torch.randn(1, 5, 32)}
    with at_one_position(model), torch.no_grad():
        torch.testing.assert_close(model(**given).logits, whole(model, given).logits, atol=1e-5, rtol=1e-5)


def test_a_text_that_is_continued_is_read_with_what_came_before():
    model, ids = small("GPT2"), alone()["input_ids"]
    with torch.no_grad():
        before = model(ids[:, :4], use_cache=True)
        found = model(ids[:, 4:], past_key_values=before.past_key_values).logits
        torch.testing.assert_close(found, model(ids).logits, atol=1e-5, rtol=1e-5)


@FAMILIES
def test_layers_without_heads_or_neurons_serve_one_position_too(family):
    model, batch = dense(family), ragged("right")
    for empty in (0, 1):
        keep = Units.full(unit_counts(model), 1.0)
        for part in (keep.heads[empty], keep.neurons[1 - empty]):
            part.zero_()
        with torch.no_grad(), scaled(model, keep):
            expected = model(**batch).logits
        with torch.no_grad():
            torch.testing.assert_close(compact(model, keep)(**batch).logits, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.slow
@FAMILIES
def test_a_compiled_classifier_serves_one_position_in_one_graph(family):
    model, batch = small(family), ragged("right")
    with torch.no_grad():
        compiled = torch.compile(model, backend="eager", fullgraph=True)(**batch).logits
        torch.testing.assert_close(compiled, whole(model, batch).logits, atol=1e-5, rtol=1e-5)
    torch._dynamo.reset()


@pytest.mark.parametrize(
    "name",
    ["BertModel", "BertForMaskedLM", "BertForTokenClassification", "GPT2LMHeadModel", "RobertaForMultipleChoice"],
)
def test_heads_that_read_more_are_refused(name):
    family = next(family for family in SIZES if name.startswith(family))
    model = dense(family, name.removeprefix(family))
    with pytest.raises(UnsupportedModelError, match="may read every position"):
        serve_one_position(model)
    with at_one_position(model):
        assert not serves_one_position(model)


def test_a_head_of_somebody_elses_is_not_known_by_its_name():
    kind = type("BertForSequenceClassification", (transformers.BertForSequenceClassification,), {"__module__": "mine"})
    assert position_read(kind(dense("Bert").config)) is None


def test_contexts_nest_and_the_last_one_ends_it():
    model = dense("Bert")
    with at_one_position(model):
        with at_one_position(model):
            pass
        assert_served(model, 4)
    assert not serves_one_position(model)


def test_a_context_that_ends_during_anothers_pass_leaves_it_right():
    """Nothing is taken from under a forward pass of another thread: here, in the middle of one."""
    model, batch = dense("Bert"), ragged("right")
    expected = whole(model, batch).logits
    contexts = ExitStack()
    contexts.enter_context(at_one_position(model))
    layers_of(model)[0].block.register_forward_hook(lambda *_: contexts.close())
    with torch.no_grad():
        found = model(**batch).logits
    assert not serves_one_position(model)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
