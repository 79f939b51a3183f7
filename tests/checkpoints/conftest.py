"""Tiny checkpoints, written by transformers itself, and ways to spoil them."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
)

from tests.support.tokenizers import LOADER, in_this_process

SENTENCES = ["the film was great", "the film was unbelievably bad", "Hello, world!\nIt's a café."]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [
    "the",
    "film",
    "was",
    "great",
    "bad",
    "un",
    "##bel",
    "##iev",
    "##ably",
    "hello",
    ",",
    "!",
    ".",
    "don",
    "'",
    "t",
]

Make = Callable[..., Path]


def word_pieces() -> PreTrainedTokenizerFast:
    core = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(SPECIAL + WORDS)}, unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=True)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.decoder = decoders.WordPiece()
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(tokenizer_object=core, mask_token="[MASK]", **names)


def byte_pairs() -> PreTrainedTokenizerFast:
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    core.train_from_iterator(SENTENCES * 5, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|endoftext|>")


_BERT = {"vocab_size": 21, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
_GPT2 = {"vocab_size": 300, "n_embd": 8, "n_layer": 2, "n_head": 2, "n_positions": 64}
_IDS = {"bos_token_id": 0, "eos_token_id": 0}
_LLAMA = {**_BERT, "vocab_size": 300, "num_key_value_heads": 1, "max_position_embeddings": 64}


def build(what: str, **settings: Any) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    if what == "gpt2":
        return GPT2LMHeadModel(GPT2Config(**{**_GPT2, **_IDS, **settings})), byte_pairs()
    if what == "llama":
        return LlamaForCausalLM(LlamaConfig(**{**_LLAMA, **_IDS, **settings})), byte_pairs()
    if what == "roberta":
        config = RobertaConfig(**{**_BERT, "max_position_embeddings": 66, "pad_token_id": 1, **settings})
        return RobertaForMaskedLM(config), word_pieces()
    config = BertConfig(**{**_BERT, "max_position_embeddings": 64, **settings})
    classes = {"encoder": BertModel, "classifier": BertForSequenceClassification, "masked-lm": BertForMaskedLM}
    return classes[what](config), word_pieces()


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a tiny checkpoint: ``make("classifier", num_labels=3)``."""

    def write(what: str = "encoder", folder: str = "tiny", **settings: Any) -> Path:
        model, tokenizer = build(what, **settings)
        path = tmp_path / folder
        model.save_pretrained(path)
        tokenizer.save_pretrained(path)
        return path

    return write


@pytest.fixture
def edit_config() -> Callable[..., None]:
    """Change keys of a JSON file: ``edit_config(folder, num_hidden_layers=7)``; ``None`` removes a key."""

    def edit(folder: Path, file: str = "config.json", **changes: Any) -> None:
        content = json.loads((folder / file).read_text()) if (folder / file).exists() else {}
        content = {key: value for key, value in {**content, **changes}.items() if value is not None}
        (folder / file).write_text(json.dumps(content))

    return edit


@pytest.fixture
def write_safetensors() -> Callable[..., None]:
    """Write a safetensors file byte by byte, with whatever header: the real library refuses to write a lie."""

    def write(path: Path, header: Any, data: bytes = b"", announced: int | None = None) -> None:
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text) if announced is None else announced) + text + data)

    return write


@pytest.fixture
def untried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load foreign tokenizers here: a process of its own takes a second, and has tests of its own."""
    monkeypatch.setattr(LOADER, in_this_process)
