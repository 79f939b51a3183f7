from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
    CamembertModel,
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertForSequenceClassification,
    DistilBertModel,
    ElectraConfig,
    ElectraForMaskedLM,
    ElectraForSequenceClassification,
    ElectraForTokenClassification,
    ElectraModel,
    GPT2Config,
    GPT2ForSequenceClassification,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    MistralModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2ForSequenceClassification,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    RobertaModel,
    T5Config,
    XLMRobertaModel,
)

from compecon.compression import architectures
from compecon.compression.compact_model import compact
from compecon.compression.families import unit_counts
from compecon.compression.last_layer import at_one_position
from compecon.compression.model_shape import ModelShape
from compecon.compression.units import Units, unit_macs
from compecon.errors import UnsupportedModelError
from compecon.flops import MacCount, macs, macs_of_pairs, macs_under_budget

N_TOKENS = 11
ENCODER = {"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4}
BERT = BertConfig(vocab_size=50, num_labels=3, **ENCODER)
ROBERTA = RobertaConfig(vocab_size=50, num_labels=3, **ENCODER)
ELECTRA = ElectraConfig(vocab_size=50, num_labels=3, embedding_size=24, **ENCODER)
NARROW = ElectraConfig(vocab_size=50, num_labels=3, embedding_size=10, **ENCODER)
DISTILBERT = DistilBertConfig(vocab_size=50, num_labels=3, dim=24, hidden_dim=40, n_layers=2, n_heads=4)
GPT2 = GPT2Config(vocab_size=50, n_embd=24, n_layer=2, n_head=4, num_labels=3, pad_token_id=0)
GATED = {**ENCODER, "vocab_size": 50, "num_key_value_heads": 2, "num_labels": 3, "pad_token_id": 0}

MODELS = [
    (BertForSequenceClassification, BERT),
    (BertForTokenClassification, BERT),
    (BertForMaskedLM, BERT),
    (BertModel, BERT),
    (RobertaForSequenceClassification, ROBERTA),
    (RobertaForMaskedLM, ROBERTA),
    (ElectraForSequenceClassification, ELECTRA),
    (ElectraForSequenceClassification, NARROW),
    (ElectraForTokenClassification, NARROW),
    (ElectraForMaskedLM, ELECTRA),
    (ElectraForMaskedLM, NARROW),
    (ElectraModel, NARROW),
    (DistilBertForSequenceClassification, DISTILBERT),
    (DistilBertForMaskedLM, DISTILBERT),
    (DistilBertModel, DISTILBERT),
    (GPT2LMHeadModel, GPT2),
    (GPT2LMHeadModel, GPT2Config(vocab_size=50, n_embd=24, n_layer=2, n_head=4, n_inner=30)),
    (GPT2ForSequenceClassification, GPT2),
    (LlamaForCausalLM, LlamaConfig(**GATED)),
    (LlamaForCausalLM, LlamaConfig(head_dim=10, **GATED)),
    (MistralForCausalLM, MistralConfig(sliding_window=4, **GATED)),
    (MistralModel, MistralConfig(sliding_window=None, **GATED)),
    (Qwen2ForCausalLM, Qwen2Config(**GATED)),
    (Qwen2ForSequenceClassification, Qwen2Config(**GATED)),
]
BERT_BASE = ModelShape.from_config(BertConfig(), "BertModel")


def encoder_macs(count: MacCount) -> int:
    return count.total - count.head


# ---- what torch counts


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize(("model_class", "config"), MODELS)
def test_dense_flops_are_what_torch_counts(model_class, config, attention):
    model = model_class(config).eval()
    model.set_attn_implementation(attention)
    tokens = torch.arange(1, N_TOKENS + 1).unsqueeze(0)
    # On a CPU the counter does not know the fused kernel and would count attention as 0.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter, torch.no_grad():
        model(tokens)
    assert macs(ModelShape.from_config(config, model_class.__name__), N_TOKENS).flops == counter.get_total_flops()
    assert ModelShape.from_model(model) == ModelShape.from_config(config, model_class.__name__)


@pytest.mark.parametrize(("model_class", "config"), MODELS[:18])
@pytest.mark.parametrize("heads", [[[0, 1, 1, 0], [1, 0, 0, 0]], [[0, 0, 0, 0], [1, 1, 1, 1]]], ids=["some", "a layer"])
def test_flops_of_a_compacted_model_are_what_torch_counts(model_class, config, heads):
    if f"Compact{model_class.__name__}" not in vars(architectures):
        pytest.skip("this head is not compacted")
    dense = model_class(config).eval()
    keep = Units.full(unit_counts(dense), True)
    gone = [torch.arange(len(keep.neurons[0])) % 3 > 0, torch.zeros(len(keep.neurons[1]), dtype=torch.bool)]
    small = compact(dense, Units(tuple(torch.tensor(layer, dtype=torch.bool) for layer in heads), tuple(gone)))
    for gradients in (False, True):
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter, torch.set_grad_enabled(gradients):
            small(torch.arange(1, N_TOKENS + 1).unsqueeze(0))
        assert macs(ModelShape.from_model(small), N_TOKENS).flops == counter.get_total_flops()
    shape = ModelShape.from_model(small)
    assert macs(shape, N_TOKENS).flops == counter.get_total_flops()
    assert encoder_macs(macs(shape, N_TOKENS)) == unit_macs(small, N_TOKENS).total()
    whole = replace(shape, one_position=False)
    assert shape.one_position == model_class.__name__.endswith("ForSequenceClassification")
    assert macs_under_budget(shape, N_TOKENS, N_TOKENS, causal=False) == macs(whole, N_TOKENS)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter, torch.no_grad():
        small(torch.arange(1, N_TOKENS + 1).unsqueeze(0), output_hidden_states=True)
    assert macs(whole, N_TOKENS).flops == counter.get_total_flops()


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize(("model_class", "config"), [pair for pair in MODELS[:18] if "Sequence" in pair[0].__name__])
def test_a_last_layer_at_one_position_saves_what_its_units_cost_less(model_class, config, attention):
    model = model_class(config).eval()
    model.set_attn_implementation(attention)
    with (
        at_one_position(model),
        sdpa_kernel(SDPBackend.MATH),
        FlopCounterMode(display=False) as counter,
        torch.no_grad(),
    ):
        model(torch.arange(1, N_TOKENS + 1).unsqueeze(0))
    shape, costs = ModelShape.from_model(model), unit_macs(model, N_TOKENS)
    assert macs(replace(shape, one_position=True), N_TOKENS).flops == counter.get_total_flops()
    assert costs.dense == encoder_macs(macs(shape, N_TOKENS))
    assert costs.total() == counter.get_total_flops() // 2 - macs(shape, N_TOKENS).head
    n, d, h = N_TOKENS, 24, 6
    assert costs.heads[0].tolist() == [4 * n * d * h + 2 * n * n * h] * 4
    assert costs.heads[1].tolist() == [2 * (n + 1) * d * h + 2 * n * h] * 4
    assert [part[0].item() for part in costs.neurons] == [2 * n * d, 2 * d]


@pytest.mark.parametrize("kind", [BertModel, RobertaModel, XLMRobertaModel, CamembertModel])
def test_a_pooler_is_counted_where_there_is_one(kind):
    config = kind.config_class(vocab_size=50, **ENCODER)
    for pooler in (True, False):
        dense = kind(config, add_pooling_layer=pooler).eval()
        keep = Units.full(unit_counts(dense), True)
        for model in (dense, compact(dense, keep)):
            with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter, torch.no_grad():
                model(torch.arange(2, N_TOKENS + 2).unsqueeze(0))
            assert macs(ModelShape.from_model(model), N_TOKENS).flops == counter.get_total_flops()


# ---- arithmetic of BERT-base


@pytest.mark.parametrize("n", [1, 39, 64, 128, 512])
def test_the_encoder_of_bert_base_is_a_quadratic_in_the_length(n):
    assert encoder_macs(macs(BERT_BASE, n)) == 84_934_656 * n + 18_432 * n**2


@pytest.mark.parametrize(("n", "linear", "total"), [(64, 5.44, 5.51), (128, 10.872, 11.17), (512, 43.49, 48.32)])
def test_bert_base_in_billions_of_macs(n, linear, total):
    count = macs(BERT_BASE, n)
    assert count.linear / 1e9 == pytest.approx(linear, abs=0.006)
    assert encoder_macs(count) / 1e9 == pytest.approx(total, abs=0.006)


@pytest.mark.parametrize(
    ("n", "keys", "percent"), [(128, 64, 0.68), (128, 32, 1.0), (512, 256, 2.5), (512, 32, 4.7), (128, 128, 0.0)]
)
def test_a_key_budget_alone_saves_little_of_bert_base(n, keys, percent):
    saved = macs(BERT_BASE, n).total - macs_under_budget(BERT_BASE, n, keys, causal=False).total
    assert 100 * saved / encoder_macs(macs(BERT_BASE, n)) == pytest.approx(percent, abs=0.06)


def test_a_head_costs_its_projections_and_its_pairs():
    n, d, d_head = 128, 768, 64
    without = replace(BERT_BASE, n_heads=11, n_kv_heads=11)
    saved = (macs(BERT_BASE, n).total - macs(without, n).total) // BERT_BASE.n_layers
    assert saved == 4 * n * d * d_head + 2 * n**2 * d_head


def test_flops_are_two_for_each_mac():
    assert MacCount(linear=1, scored=2, read=3, head=4).flops == 20


# ---- budgets


def pairs_by_hand(n, keys, causal, window):
    """Scored and read pairs of one head, counted on the masks."""
    visible = torch.ones(n, n, dtype=torch.bool)
    if causal:
        visible = visible.tril()
        if window is not None:
            visible = visible.triu(1 - window)
    read = visible & (visible.cumsum(dim=-1) <= torch.as_tensor(keys).reshape(-1, 1))
    return int(visible.sum()), int(read.sum())


@pytest.mark.parametrize("keys", [0, 1, 3, 7, 50, [0, 1, 2, 3, 9, 2, 1]])
@pytest.mark.parametrize(("causal", "window"), [(False, None), (True, None), (True, 3), (True, 1)])
def test_a_budget_counts_the_pairs_of_its_masks(keys, causal, window):
    n, shape = 7, replace(ModelShape.from_config(LlamaConfig(**GATED), "LlamaModel"), window=window)
    scored, read = (pairs * shape.n_layers * shape.n_heads for pairs in pairs_by_hand(n, keys, causal, window))
    count = macs_under_budget(shape, n, keys, causal=causal)
    assert count.scored == scored * shape.d_head
    assert count.read == read * shape.d_head
    assert count == macs_of_pairs(shape, n, keys_scored=scored, keys_read=read)


def test_only_reads_get_fewer_under_a_budget():
    dense, tight = macs(BERT_BASE, 64), macs_under_budget(BERT_BASE, 64, 8, causal=False)
    assert (tight.linear, tight.scored, tight.head) == (dense.linear, dense.scored, dense.head)
    assert tight.read * 8 == dense.read


def test_no_budget_on_an_encoder_needs_what_is_executed():
    assert macs_under_budget(BERT_BASE, 64, None, causal=False) == macs(BERT_BASE, 64)


def test_a_causal_model_needs_half_of_the_pairs_that_are_executed():
    executed, needed = macs(BERT_BASE, 64), macs_under_budget(BERT_BASE, 64, None, causal=True)
    assert needed.scored * 64 * 64 == executed.scored * 64 * 65 // 2
    assert needed.read == needed.scored


def test_the_window_of_a_config_is_read():
    assert ModelShape.from_config(MistralConfig(sliding_window=4, **GATED), "MistralModel").window == 4
    all_sliding = Qwen2Config(use_sliding_window=True, sliding_window=4, max_window_layers=0, **GATED)
    assert ModelShape.from_config(all_sliding, "Qwen2Model").window == 4
    assert ModelShape.from_config(Qwen2Config(**GATED), "Qwen2Model").window is None


# ---- configs and refusals


def test_the_architecture_defaults_to_the_one_saved_in_the_config():
    config = BertConfig(architectures=["BertForSequenceClassification"], num_labels=3, **ENCODER)
    assert ModelShape.from_config(config) == ModelShape.from_config(config, "BertForSequenceClassification")
    assert ModelShape.from_config(config) != ModelShape.from_config(config, "BertForMaskedLM")


@pytest.mark.parametrize(
    ("config", "architecture", "message"),
    [
        (T5Config(), "T5ForConditionalGeneration", "model type 't5' are not known"),
        (BERT, None, "names no architecture"),
        (BERT, "BertForMultipleChoice", "output head of BertForMultipleChoice are not known"),
        (GPT2, "GPT2DoubleHeadsModel", "output head of GPT2DoubleHeadsModel"),
        (BERT, "Model", "output head of Model"),
        (BertConfig(add_cross_attention=True, is_decoder=True), "BertModel", "Cross-attention"),
        (
            Qwen2Config(use_sliding_window=True, max_window_layers=1, **GATED),
            "Qwen2Model",
            "full_attention, sliding_attention",
        ),
    ],
)
def test_what_the_formulas_do_not_cover_is_refused(config, architecture, message):
    with pytest.raises(UnsupportedModelError, match=message):
        ModelShape.from_config(config, architecture)


def test_a_config_without_a_transformers_class_is_enough():
    sizes = {"model_type": "bert", "vocab_size": 50, "num_labels": 2, "architectures": ["BertModel"], **ENCODER}
    assert ModelShape.from_config(SimpleNamespace(**sizes)) == ModelShape.from_config(BERT, "BertModel")


@pytest.mark.parametrize("keys", [-1, [1, -1, 2]])
def test_a_negative_budget_is_refused(keys):
    with pytest.raises(ValueError, match="keys must be at least 0, got -1"):
        macs_under_budget(BERT_BASE, 3, keys, causal=False)


def test_a_budget_must_fit_the_queries():
    with pytest.raises(ValueError, match="one number for each of 3 queries, got 2"):
        macs_under_budget(BERT_BASE, 3, [1, 2], causal=False)


def test_a_text_without_tokens_is_refused():
    for count in (lambda: macs(BERT_BASE, 0), lambda: macs_under_budget(BERT_BASE, 0, 1, causal=True)):
        with pytest.raises(ValueError, match="n_tokens must be at least 1, got 0"):
            count()
