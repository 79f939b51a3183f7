from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor, nn

from compecon.attention.hooks import recorded_attention
from compecon.compression import architectures
from compecon.compression.compact_model import compact, kept_heads
from compecon.compression.families import layers_of, unit_counts
from compecon.compression.scaled import scaled
from compecon.compression.units import Units
from compecon.errors import UnsupportedModelError

_BERT = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "vocab_size": 50,
    "max_position_embeddings": 32,
    "initializer_range": 0.2,
}
_SIZES: dict[str, dict[str, Any]] = {
    "Bert": _BERT,
    "Roberta": _BERT,
    "XLMRoberta": _BERT,
    "Camembert": _BERT,
    "Electra": _BERT | {"embedding_size": 16},
    "DistilBert": {
        "dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 24, "vocab_size": 50, "initializer_range": 0.2,
    },
    "GPT2": {
        "n_embd": 32, "n_layer": 3, "n_head": 4, "n_inner": 24, "vocab_size": 50, "n_positions": 32,
        "initializer_range": 0.2, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1,
    },
}  # fmt: skip
ALL = [
    family + head
    for family in _SIZES
    for head in ("Model", "ForSequenceClassification", "LMHeadModel" if family == "GPT2" else "ForMaskedLM")
]


def dense(name: str) -> Any:
    family = next(family for family in _SIZES if name.startswith(family))
    model = getattr(transformers, name)(getattr(transformers, f"{family}Config")(**_SIZES[family])).eval()
    for weight in model.parameters():  # biases and norms start at 0 and 1, where mistakes do not show
        weight.data += 0.1 * torch.randn_like(weight)
    return model


def gates(model: nn.Module, *, headless: tuple[int, ...] = (), without_neurons: tuple[int, ...] = ()) -> Units:
    """Random gates in [0, 1], about a third of them closed; all of them in some layers."""

    def draw(n: int, layer: int, empty: tuple[int, ...]) -> Tensor:
        values = torch.rand(n) * (torch.rand(n) > 1 / 3)
        values[:1] = 0.5  # one is open wherever not all are closed
        return torch.zeros(n) if layer in empty else values

    layers = list(enumerate(layers_of(model)))
    return Units(
        tuple(draw(layer.n_heads, index, headless) for index, layer in layers),
        tuple(draw(layer.n_neurons, index, without_neurons) for index, layer in layers),
    )


def output(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    with torch.inference_mode():
        first: Tensor = model(**batch)[0]
    return first[batch["attention_mask"].bool()] if first.ndim == 3 else first


@pytest.fixture(params=["BertForSequenceClassification", "DistilBertForMaskedLM", "RobertaModel", "GPT2LMHeadModel"])
def one_of_each(request: pytest.FixtureRequest) -> Any:
    return dense(request.param)


EMPTY = [
    {},
    {"headless": (0,)},
    {"headless": (1,), "without_neurons": (1,)},
    {"without_neurons": (0, 2)},
    {"headless": (0, 1, 2), "without_neurons": (0, 1, 2)},
]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("empty", EMPTY, ids=str)
def test_a_compact_model_computes_what_the_gated_model_computes(name, empty, batch):
    model = dense(name)
    values = gates(model, **empty)
    small = compact(model, values)
    with scaled(model, values):
        torch.testing.assert_close(output(small, batch), output(model, batch), atol=1e-4, rtol=1e-5)
    assert type(small) is getattr(architectures, f"Compact{name}")
    assert small.config.model_type == f"compact-{model.config.model_type}"
    assert unit_counts(small) == values.counts()


def test_the_given_model_stays_as_it_is(one_of_each, batch):
    before, state = output(one_of_each, batch), copy.deepcopy(one_of_each.state_dict())
    small = compact(one_of_each, gates(one_of_each))
    for weight in small.parameters():
        weight.data.zero_()
    torch.testing.assert_close(one_of_each.state_dict(), state, atol=0, rtol=0)
    torch.testing.assert_close(output(one_of_each, batch), before, atol=0, rtol=0)
    assert not hasattr(one_of_each.config, "compact")


def test_no_random_number_is_drawn(one_of_each):
    values = gates(one_of_each)
    state = torch.random.get_rng_state()
    compact(one_of_each, values)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_keeping_everything_makes_a_compact_model_with_the_same_weights(one_of_each):
    everything = Units.full(unit_counts(one_of_each), True)
    small = compact(one_of_each, everything)
    torch.testing.assert_close(small.state_dict(), one_of_each.state_dict(), atol=0, rtol=0)
    assert type(small).__name__ == f"Compact{type(one_of_each).__name__}"


def test_compacting_twice_is_compacting_once_by_the_product(one_of_each, batch):
    first = gates(one_of_each, headless=(1,))
    once = compact(one_of_each, first)
    second = gates(once, without_neurons=(0,), headless=(1,))
    both = first.map(torch.clone)
    for whole, part in zip((*both.heads, *both.neurons), (*second.heads, *second.neurons), strict=True):
        whole[whole != 0] *= part
    twice, at_once = compact(once, second), compact(one_of_each, both)
    assert twice.config.compact == at_once.config.compact
    torch.testing.assert_close(output(twice, batch), output(at_once, batch), atol=1e-4, rtol=1e-5)


def test_kept_heads_are_told_by_their_index_in_the_dense_model():
    model = dense("BertModel")
    assert kept_heads(model) == ((0, 1, 2, 3),) * 3
    values = gates(model)
    values.heads[0][:] = torch.tensor([0, 0.5, 0, 1])
    once = compact(model, values)
    assert kept_heads(once)[0] == (1, 3)
    again = gates(once)
    again.heads[0][:] = torch.tensor([0, 1.0])
    assert kept_heads(compact(once, again))[0] == (3,)


def test_precision_mode_labels_and_frozen_weights_are_kept():
    model = dense("BertForSequenceClassification").double().train()
    model.config.id2label = {0: "no", 1: "yes"}
    model.bert.embeddings.requires_grad_(False)
    small = compact(model, gates(model))
    assert small.dtype == torch.float64
    assert all(module.training for module in small.modules())
    assert small.config.id2label == {0: "no", 1: "yes"}
    frozen = {name for name, weight in small.named_parameters() if not weight.requires_grad}
    assert frozen == {name for name, _ in small.named_parameters() if name.startswith("bert.embeddings.")}


def test_a_tied_output_matrix_stays_tied():
    model = dense("GPT2LMHeadModel")
    small = compact(model, gates(model))
    assert small.lm_head.weight is small.transformer.wte.weight


def test_hooks_are_not_copied(batch):
    model = dense("BertModel")
    called = []
    model.register_forward_hook(lambda *_: called.append(1))
    output(compact(model, gates(model)), batch)
    assert not called


def test_a_bare_encoder_without_a_pooler_has_none_afterwards(batch):
    model = dense("BertModel")
    model.pooler = None
    small = compact(model, gates(model))
    assert small.pooler is None
    output(small, batch)


@pytest.mark.parametrize("cache", [None, "static"])
@pytest.mark.parametrize("headless", [(), (0,), (2,)])
def test_a_compact_model_generates_what_the_gated_model_does(cache, headless):
    model = dense("GPT2LMHeadModel")
    values = gates(model, headless=headless)
    ids = torch.randint(2, 50, (2, 5))
    mask = torch.ones_like(ids)
    mask[0, :2] = 0
    ask = {"attention_mask": mask, "max_new_tokens": 8, "do_sample": False}
    with scaled(model, values):
        expected = model.generate(ids, **ask, use_cache=False)
    assert torch.equal(compact(model, values).generate(ids, **ask, cache_implementation=cache), expected)


def test_recorded_layers_keep_their_numbers_and_have_the_heads_that_are_left(one_of_each, batch):
    values = gates(one_of_each, headless=(1,))
    small = compact(one_of_each, values)
    with recorded_attention(small) as records:
        output(small, batch)
    counts = values.counts()
    assert [(record.layer, record.weights.shape[1]) for record in records] == [(0, counts[0][0]), (2, counts[2][0])]


def test_a_compact_model_learns(one_of_each, batch):
    small = compact(one_of_each, gates(one_of_each, headless=(0,), without_neurons=(1,))).train()
    small(**batch)[0].square().mean().backward()
    layer = layers_of(small)[0]
    assert layer.heads_out.bias.grad.abs().sum() > 0
    assert layer.neurons_in.weight.grad.abs().sum() > 0


def test_values_that_do_not_fit_are_refused():
    model = dense("BertModel")
    with pytest.raises(ValueError, match=r"\(4, 24\).*got \[\(4, 23\)"):
        compact(model, Units.full([(4, 23)] * 3, 1.0))
    with pytest.raises(ValueError, match="got NaN"):
        compact(model, Units.full([(4, 24)] * 3, float("nan")))


def test_a_class_without_a_compact_one_is_refused():
    model = transformers.BertForTokenClassification(transformers.BertConfig(**_BERT))
    with pytest.raises(UnsupportedModelError, match="BertForTokenClassification cannot be compacted"):
        compact(model, Units.full([(4, 24)] * 3, 1.0))


@pytest.mark.parametrize(
    "entry", [{"heads": [[4], [], []], "neurons": [1, 1, 1]}, {"heads": [[], []], "neurons": [1, 1]}, {"heads": []}]
)
def test_a_config_that_keeps_what_never_was_cannot_be_made(entry):
    with pytest.raises(ValueError, match="compact must"):
        architectures.CompactBertConfig(**_BERT, compact=entry)


def test_transformers_knows_the_compact_classes():
    made = {name: value for name, value in vars(architectures).items() if name.startswith("Compact")}
    assert set(made) >= {f"Compact{name}" for name in ALL} | {f"Compact{family}Config" for family in _SIZES}
    for name in _SIZES:
        config_class = made[f"Compact{name}Config"]
        config = transformers.AutoConfig.for_model(config_class.model_type, **_SIZES[name])
        assert type(config) is config_class
        assert type(transformers.AutoModel.from_config(config)) is made[f"Compact{name}Model"]
