"""Models and texts to measure with: the bundled checkpoint, encoders of random weights, texts of an exact length."""

from __future__ import annotations

import itertools
import json
import random
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from compecon.checkpoints.build import build_model
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.errors import CompeconError
from compecon.paths import assets
from compecon.views.attention.example_texts import examples

BUNDLED = "sentiment"
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json")
_STD = 0.05


def bundled_checkpoint() -> Checkpoint:
    """The bundled checkpoint that benchmarks use: 12 heads a layer, on the CPU."""
    return load_checkpoint(BUNDLED, "cpu")


def bert_config(
    *, layers: int, hidden: int = 384, heads: int = 12, d_ff: int = 1536, vocab: int = 8000
) -> dict[str, Any]:
    """``config.json`` of a BERT encoder; the defaults are MiniLM's width."""
    return {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "num_attention_heads": heads,
        "intermediate_size": d_ff,
        "vocab_size": vocab,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "hidden_act": "gelu",
    }


def random_weights(config: dict[str, Any]) -> dict[str, Tensor]:
    """Random weights for `bert_config`, always the same ones: the cost of a pass does not depend on them."""
    generator = torch.Generator().manual_seed(0)
    hidden, wide = config["hidden_size"], config["intermediate_size"]
    tables = {"word": "vocab_size", "position": "max_position_embeddings", "token_type": "type_vocab_size"}
    shapes = {f"embeddings.{name}_embeddings.weight": (config[size], hidden) for name, size in tables.items()}
    norms = ["embeddings.LayerNorm"]
    for i in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{i}"
        square = [f"{layer}.attention.self.{part}" for part in ("query", "key", "value")]
        for name in (*square, f"{layer}.attention.output.dense"):
            shapes[f"{name}.weight"] = (hidden, hidden)
        shapes[f"{layer}.intermediate.dense.weight"] = (wide, hidden)
        shapes[f"{layer}.output.dense.weight"] = (hidden, wide)
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    weights = {name: _STD * torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    biases = {f"{name[:-7]}.bias": torch.zeros(len(w)) for name, w in weights.items() if name.startswith("encoder")}
    scales = {f"{name}.weight": torch.ones(hidden) for name in norms}
    return weights | biases | scales | {f"{name}.bias": torch.zeros(hidden) for name in norms}


def random_encoder(config: dict[str, Any]) -> Any:
    """A model of random weights with sdpa attention, in evaluation mode."""
    return build_model(config, "BertModel", "encoder", random_weights(config))[0]


def write_random_checkpoint(folder: Path, config: dict[str, Any]) -> Path:
    """A checkpoint folder of random weights that reads with the bundled tokenizer."""
    source = assets() / "checkpoints" / BUNDLED
    if not source.is_dir():
        raise CompeconError(f"The bundled checkpoint {BUNDLED} is missing. Reinstall compecon with its assets.")
    folder.mkdir(parents=True)
    for name in _TOKENIZER:
        shutil.copy(source / name, folder)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    halves = {name: weight.to(torch.float16) for name, weight in random_weights(config).items()}
    save_file(halves, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def random_rows(vocabulary: int, *, n_rows: int, n_tokens: int) -> list[dict[str, Any]]:
    """Rows of random tokens with labels 0 and 1, always the same ones: the cost of a step does not depend on them."""
    ids = torch.randint(1, vocabulary, (n_rows, n_tokens), generator=torch.Generator().manual_seed(0))
    mask = [1] * n_tokens
    return [{"input_ids": row, "attention_mask": mask, "labels": i % 2} for i, row in enumerate(ids.tolist())]


def text_of(checkpoint: Checkpoint, n_tokens: int, seed: int = 0) -> str:
    """A text of exactly so many tokens, at least 3, special ones included, in words of the bundled examples.

    Raises:
        ValueError: If a text of that length cannot be put together.
    """
    words = sorted({w.strip(".,;:").lower() for e in examples() for w in e.text.split()} - {""})
    random.Random(seed).shuffle(words)  # noqa: S311 - no secret, only variety
    text, length = "", 2
    for word in itertools.islice(itertools.cycle(words), 20 * n_tokens + len(words)):
        longer = f"{text} {word}".strip()
        if (n := len(checkpoint.encode(longer).tokens)) <= n_tokens:
            text, length = longer, n
        if length == n_tokens:
            return text
    raise ValueError(f"no text of {n_tokens} tokens was found; take at least 3 and at most what the model reads.")
