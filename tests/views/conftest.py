"""Tiny checkpoints of every kind that a screen shows: random weights, a real tokenizer, loaded through the gate."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import (
    BartConfig,
    BartForSequenceClassification,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from compecon.checkpoints.encode_text import Encoded
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.compression.compact_model import compact
from compecon.compression.units import Units
from tests.support.tokenizers import LOADER, in_this_process

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["the", "film", "was", "great", "but", "end", "bad", "and", "long", "un", "##watch", "##able", ",", ".", "'"]
TEXT = "the film was great , but the end was unwatchable ."
KINDS = ("classification", "regression", "causal-lm", "masked-lm", "encoder")

# wide initial weights: with transformers' 0.02 every row would be uniform, and a budget would change next to nothing
_BERT: dict[str, Any] = {
    "vocab_size": 20,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 96,
    "initializer_range": 0.6,
}
_GPT2: dict[str, Any] = {
    "vocab_size": 20,
    "n_embd": 16,
    "n_layer": 2,
    "n_head": 2,
    "n_positions": 96,
    "initializer_range": 0.6,
}
_BART: dict[str, Any] = {
    "vocab_size": 20,
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 16,
    "decoder_ffn_dim": 16,
    "max_position_embeddings": 96,
    "eos_token_id": 3,
}

Load = Callable[[str], Checkpoint]


def tokenizer(*, specials: bool = True) -> PreTrainedTokenizerFast:
    """Word pieces of twenty words; `[CLS] … [SEP]` around a text unless told otherwise."""
    core = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(SPECIAL + WORDS)}, unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=True)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.decoder = decoders.WordPiece()
    if specials:
        core.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(tokenizer_object=core, mask_token="[MASK]", **names)


def build(kind: str) -> PreTrainedModel:
    makers: dict[str, Callable[[], PreTrainedModel]] = {
        "classification": lambda: BertForSequenceClassification(BertConfig(**_BERT, num_labels=3)),
        "regression": lambda: BertForSequenceClassification(BertConfig(**_BERT, num_labels=1)),
        "many classes": lambda: BertForSequenceClassification(BertConfig(**_BERT, num_labels=24)),
        "several scores": lambda: BertForSequenceClassification(
            BertConfig(**_BERT, num_labels=12, problem_type="regression")
        ),
        "causal-lm": lambda: GPT2LMHeadModel(GPT2Config(**_GPT2, bos_token_id=2, eos_token_id=3)),
        "masked-lm": lambda: BertForMaskedLM(BertConfig(**_BERT)),
        "encoder": lambda: BertModel(BertConfig(**_BERT)),
        "two stacks": lambda: BartForSequenceClassification(BartConfig(**_BART)),
    }
    torch.manual_seed(0)
    return makers[kind]()


def compacted(kept: list[list[int]]) -> PreTrainedModel:
    """A classifier of six heads a layer, of which only these are left."""
    torch.manual_seed(0)
    sizes = {**_BERT, "hidden_size": 24, "num_hidden_layers": len(kept), "num_attention_heads": 6}
    dense = BertForSequenceClassification(BertConfig(**sizes, num_labels=3)).eval()
    heads = tuple(torch.tensor([head in left for head in range(6)]) for left in kept)
    return compact(dense, Units(heads, tuple(torch.ones(32) for _ in kept)))


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Write the checkpoint of a kind, once: ``folder_of("causal-lm")``."""

    @functools.cache
    def write(kind: str) -> Path:
        path = tmp_path_factory.mktemp("checkpoints") / kind.replace(" ", "-")
        build(kind).save_pretrained(path)
        tokenizer(specials=kind != "causal-lm").save_pretrained(path)
        return path

    return write


@pytest.fixture(scope="session")
def load(folder_of: Callable[[str], Path]) -> Load:
    """Load the checkpoint of a kind, once. The tokenizer's trial starts an interpreter and has tests of its own."""

    @functools.cache
    def loaded(kind: str) -> Checkpoint:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LOADER, in_this_process)
            return load_checkpoint(folder_of(kind), "cpu")

    return loaded


@pytest.fixture(params=KINDS)
def checkpoint(request: pytest.FixtureRequest, load: Load) -> Checkpoint:
    return load(request.param)


@pytest.fixture
def encoded(checkpoint: Checkpoint) -> Encoded:
    return checkpoint.encode(TEXT)
