"""Tiny checkpoints and tasks on disk, and the command line run in this process."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
)

from compecon.cli import main
from tests.support.tokenizers import LOADER, in_this_process

WORDS = [f"w{i}" for i in range(20)]
Compecon = Callable[..., tuple[int, str, str]]


@pytest.fixture
def compecon(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Compecon:
    """Run a command in this process: its exit code, stdout and stderr."""
    monkeypatch.setenv("COMPECON_CHECKPOINTS", "")
    monkeypatch.setattr(LOADER, in_this_process)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["compecon", *map(str, arguments)])
        handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        with pytest.raises(SystemExit) as ended:
            main()
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
        return ended.value.code, *capsys.readouterr()

    return run


def words() -> PreTrainedTokenizerFast:
    core = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1, **{w: i + 2 for i, w in enumerate(WORDS)}}, "[UNK]"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "model_input_names": ["input_ids", "attention_mask"]}
    return PreTrainedTokenizerFast(tokenizer_object=core, **names)


@pytest.fixture
def classifier(tmp_path: Path) -> Callable[..., Path]:
    """Write a BERT of two layers that classifies: ``classifier(labels=("yes", "no"))``."""

    def write(folder: str = "parent", labels: tuple[str, ...] = ("no", "yes"), **settings: object) -> Path:
        sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24}
        named = {"id2label": dict(enumerate(labels)), "label2id": {label: i for i, label in enumerate(labels)}}
        torch.manual_seed(0)
        config = BertConfig(vocab_size=22, max_position_embeddings=16, initializer_range=0.2, **sizes, **named)
        config.update(settings)
        path = tmp_path / folder
        BertForSequenceClassification(config).save_pretrained(path)
        words().save_pretrained(path)
        return path

    return write


@pytest.fixture
def parent(classifier: Callable[..., Path]) -> Path:
    return classifier()


@pytest.fixture
def causal(tmp_path: Path) -> Path:
    """A GPT-2 of two layers; its tokenizer has no padding token, as GPT-2's has none."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    end = "<|endoftext|>"
    core.train_from_iterator(
        ["a b"], trainers.BpeTrainer(special_tokens=[end], initial_alphabet=alphabet, show_progress=False)
    )
    torch.manual_seed(0)
    sizes = {"vocab_size": 300, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_inner": 24, "n_positions": 16}
    path = tmp_path / "causal"
    GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=0, eos_token_id=0)).save_pretrained(path)
    PreTrainedTokenizerFast(tokenizer_object=core, eos_token=end).save_pretrained(path)
    return path


@pytest.fixture
def task(tmp_path: Path) -> str:
    """Texts of random words, whose class is whether the first is one of the first ten; in three splits."""
    folder = tmp_path / "rule"
    folder.mkdir()
    dice = torch.Generator().manual_seed(0)
    for name, n_rows in (("train", 64), ("dev", 16), ("test", 16)):
        rows = [torch.randint(0, 20, (3 + i % 4,), generator=dice).tolist() for i in range(n_rows)]
        lines = [f"{' '.join(WORDS[i] for i in row)},{'yes' if row[0] < 10 else 'no'}" for row in rows]
        (folder / f"{name}.csv").write_text("text,label\n" + "\n".join(lines) + "\n")
    return f"files:{folder}"


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """A data folder with a WikiText-2 of a few short articles."""
    folder = tmp_path / "data" / "wikitext2_raw"
    folder.mkdir(parents=True)
    for name in ("train", "valid", "test"):
        text = "".join(
            f" = Title {i} = \n\n Some words of article {i} , and a few more of {name} . \n" for i in range(8)
        )
        (folder / f"wiki.{name}.raw").write_text(text)
    return tmp_path / "data"
