"""A tiny sequence classifier of every architecture that transformers has one of and that budgets reach."""

from __future__ import annotations

from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import CONFIG_MAPPING, AutoModelForSequenceClassification, PreTrainedModel, PreTrainedTokenizerFast
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES

from compecon.attention.routing import is_routed

VOCABULARY = 40
_WIDTHS = ("hidden_size", "d_model", "n_embd", "dim", "embedding_size", "word_embed_proj_dim")
_LAYERS = (
    "num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers", "decoder_layers", "num_decoder_layers",
)  # fmt: skip
_HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads", "encoder_attention_heads", "decoder_attention_heads")
_INNER = ("intermediate_size", "hidden_dim", "ffn_dim", "d_ff", "encoder_ffn_dim", "decoder_ffn_dim", "n_inner", "dff")
_SIZES = {
    **dict.fromkeys(_WIDTHS, 32),
    **dict.fromkeys(_LAYERS, 2),
    **dict.fromkeys(_HEADS, 4),
    **dict.fromkeys(_INNER, 64),
    **dict.fromkeys(("num_local_experts", "num_experts", "n_routed_experts"), 4),
    **dict.fromkeys(("bos_token_id", "eos_token_id", "sep_token_id"), 3),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "max_2d_position_embeddings", "max_depth"), 64),
    "vocab_size": VOCABULARY,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "d_kv": 8,
    "num_experts_per_tok": 1,
    "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16,
    "pad_token_id": 0,
    "cls_token_id": 2,
    "decoder_start_token_id": 0,
    **dict.fromkeys(("qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim"), 8),
    **dict.fromkeys(("kv_lora_rank", "q_lora_rank"), 16),
    **dict.fromkeys(("full_attention_interval", "attn_layer_period"), 2),
    "attn_layer_offset": 1,
}
_NOT_SMALL = frozenset({
    "gemma3", "modernvbert", "qwen3_5", "t5gemma", "t5gemma2",  # a config of configs, gigabytes by default
    "axk1", "cohere_compass_text", "esmc", "mistral4", "xmod", "zamba", "zamba2",  # sizes that hang together
})  # fmt: skip
FAMILIES = tuple(
    sorted(
        name
        for name in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES
        if is_routed(name) is True and name not in _NOT_SMALL
    )
)


def classifier(family: str, **settings: Any) -> PreTrainedModel:
    """Of random weights, large enough that texts differ, with three classes and without dropout."""
    config = CONFIG_MAPPING[family]
    known = config()
    sizes = {name: value for name, value in _SIZES.items() if hasattr(known, name)}
    if hasattr(known, "kv_lora_rank"):  # keys of a low rank are each head's own
        sizes["num_key_value_heads"] = sizes["num_attention_heads"]
    if "linear_attention" in (vars(known).get("layer_types") or ()):
        sizes["layer_types"] = ["linear_attention", "full_attention"]
    if known.is_encoder_decoder:
        sizes["decoder_start_token_id"] = 0
    dropouts = {name: 0.0 for name in vars(known) if "drop" in name and isinstance(getattr(known, name), float)}
    torch.manual_seed(0)
    model: Any = AutoModelForSequenceClassification.from_config(
        config(**{**sizes, **dropouts, "num_labels": 3, **settings})
    )
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim > 1 and "norm" not in name.lower():
                weights.normal_(std=0.15)
    return model.float().eval()


def word_tokenizer(**settings: Any) -> PreTrainedTokenizerFast:
    """Words w5 to w39; a pair has types 0 and 1."""
    words = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, **{f"w{i}": i for i in range(4, VOCABULARY)}}
    core = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [CLS]:1 $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=core, unk_token="[UNK]", **settings)
