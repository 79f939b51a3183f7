"""Models of three layers for the tokenizer of the tests, drawn with a fixed seed."""

from __future__ import annotations

from typing import Any

import torch
from transformers import BertConfig, BertForSequenceClassification, GPT2Config, GPT2LMHeadModel

_WIDE = {"vocab_size": 20, "initializer_range": 0.6}  # far enough from 0 that heads differ


def three_layers(kind: str, n_heads: int, n_neurons: int) -> Any:
    """A model in evaluation mode, its heads of four features each.

    Args:
        kind: "causal-lm" for GPT-2, "classification" for BERT with three classes.
        n_heads: Heads of each layer.
        n_neurons: FFN neurons of each layer of the classifier; GPT-2 has four times its width.
    """
    torch.manual_seed(0)
    width = 4 * n_heads
    if kind == "causal-lm":
        sizes = {"n_embd": width, "n_layer": 3, "n_head": n_heads, "n_positions": 96}
        return GPT2LMHeadModel(GPT2Config(**_WIDE, **sizes, bos_token_id=2, eos_token_id=3)).eval()
    sizes = {"hidden_size": width, "num_hidden_layers": 3, "num_attention_heads": n_heads}
    config = BertConfig(**_WIDE, **sizes, intermediate_size=n_neurons, num_labels=3)
    return BertForSequenceClassification(config).eval()
