"""A tokenizer of twelve words, models of one or two layers, and rows that tell whether word 2 occurs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from compecon.tasks.encode_rows import Features


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerBase:
    vocabulary = {"[PAD]": 0, "[UNK]": 1, **{f"w{i}": i for i in range(2, 12)}}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=core, pad_token="[PAD]", unk_token="[UNK]")


@pytest.fixture
def tiny_bert() -> Callable[..., BertForSequenceClassification]:
    """Builds a model, always the same one; `dropout` and `layers` on request."""

    def build(labels: int = 2, dropout: float = 0.0, layers: int = 1, width: int = 16) -> BertForSequenceClassification:
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=12,
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=16,
            num_labels=labels,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        )
        return BertForSequenceClassification(config).eval()

    return build


@pytest.fixture
def tiny_gpt2() -> GPT2LMHeadModel:
    torch.manual_seed(0)
    still = {"embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0}
    sizes = {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 16, "vocab_size": 12}
    return GPT2LMHeadModel(GPT2Config(**sizes, **still, bos_token_id=1, eos_token_id=1)).eval()


@pytest.fixture
def rows_of() -> Callable[..., list[Features]]:
    """Builds rows of 3 to 6 tokens whose label is whether token 2 occurs."""

    def build(n: int = 16, label: Callable[[int], float] = int) -> list[Features]:
        generator = torch.Generator().manual_seed(0)
        rows = []
        for i in range(n):
            ids = torch.randint(3, 12, (3 + i % 4,), generator=generator).tolist()
            ids[-1] = 2 if i % 2 else ids[-1]
            rows.append({"input_ids": ids, "attention_mask": [1] * len(ids), "labels": label(i % 2)})
        return rows

    return build
