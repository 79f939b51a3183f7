"""What a model cannot look up or compute is a sentence of ours, on the page and for rows, never one of torch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from compecon.checkpoints.inputs import check_inputs
from compecon.checkpoints.load import load_checkpoint
from compecon.errors import CheckpointError, CompeconError, TextError
from compecon.evaluation.predict_rows import predict
from compecon.views.attention.attention_stream import AttentionRequest, attention_stream

pytestmark = pytest.mark.usefixtures("untried")
Make = Callable[..., Path]
SIZES = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
WIDE = {**SIZES, "vocab_size": 21, "max_position_embeddings": 12}


def models() -> list[Any]:
    small = {
        "n_embd": 8,
        "n_layer": 1,
        "n_head": 2,
        "n_positions": 12,
        "vocab_size": 21,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    return [
        BertForSequenceClassification(BertConfig(**WIDE)),
        RobertaForSequenceClassification(RobertaConfig(**{**WIDE, "type_vocab_size": 1, "pad_token_id": 1})),
        GPT2LMHeadModel(GPT2Config(**small)),
    ]


@pytest.mark.parametrize("model", models(), ids=lambda model: type(model).__name__)
def test_exactly_what_the_model_cannot_read_is_refused(model: Any) -> None:
    """Tried on the model itself: what passes runs, and what is refused fails in torch."""
    has_types = getattr(model.config, "type_vocab_size", 0)
    for length in range(1, 15):
        for worst in (0, 20, 21, 400, -1):
            for kind in (0, 1, 2, 7) if has_types else (0,):
                inputs = {"input_ids": torch.full((2, length), 5), "attention_mask": torch.ones(2, length).long()}
                inputs["input_ids"][1, -1] = worst
                if has_types:
                    inputs["token_type_ids"] = torch.full((2, length), kind)
                runs = True
                try:
                    model(**inputs)
                except (IndexError, RuntimeError):
                    runs = False
                try:
                    check_inputs(model, inputs)
                    passes = True
                except CheckpointError:
                    passes = False
                assert passes == runs, (length, worst, kind)


def spoil_weights(folder: Path, change: Callable[[torch.Tensor], torch.Tensor]) -> Path:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    name = next(name for name in tensors if name.endswith(("LayerNorm.weight", "ln_f.weight")))
    save_file({**tensors, name: change(tensors[name])}, path, metadata={"format": "pt"})
    return folder


def spoil_json(folder: Path, file: str, **values: Any) -> Path:
    path = folder / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    return folder


@pytest.mark.parametrize("kind", ["classifier", "gpt2"])
def test_a_model_whose_numbers_overflow_says_so(make: Make, kind: str) -> None:
    folder = spoil_weights(make(kind), lambda weight: torch.full_like(weight, 3e38))
    if kind == "gpt2":  # a causal model is tried when it is loaded
        with pytest.raises(CheckpointError, match="finite"):
            load_checkpoint(folder)
        return
    checkpoint = load_checkpoint(folder)
    encoded = checkpoint.encode("the film was great")
    with pytest.raises(CompeconError, match=r"(finite|not numbers)"):
        list(attention_stream(checkpoint, encoded, AttentionRequest()))
    rows = [{"input_ids": encoded.batch["input_ids"][0].tolist(), "labels": 0}]
    with pytest.raises(CompeconError, match=r"(finite|not numbers)"):
        predict(checkpoint.model, checkpoint.tokenizer, rows)


@pytest.mark.parametrize("value", [-1, 1e30, "small", None, True, [1e-5], 2])
def test_a_nonsense_epsilon_is_refused(make: Make, value: Any) -> None:
    with pytest.raises(CheckpointError, match="layer_norm_eps"):
        load_checkpoint(spoil_json(make("classifier"), "config.json", layer_norm_eps=value))


@pytest.mark.parametrize("setting", [{"chunk_size_feed_forward": 7}, {"return_dict": False}, {"torchscript": True}])
def test_settings_of_how_it_is_called_change_no_number(make: Make, setting: dict[str, Any]) -> None:
    folder = make("classifier")
    plain = load_checkpoint(folder)
    other = load_checkpoint(spoil_json(folder, "config.json", **setting))
    batch = plain.encode("the film was great").batch
    assert torch.equal(plain.model(**batch).logits, other.model(**batch).logits)


@pytest.mark.parametrize("text", [None, b"the film", 5, ["the film"]])
def test_what_is_no_text_is_refused(make: Make, text: Any) -> None:
    checkpoint = load_checkpoint(make("classifier"))
    with pytest.raises(TextError, match="not a text"):
        checkpoint.encode(text)


def test_a_template_with_a_strange_token_type_is_refused_before_the_model_reads(make: Make) -> None:
    folder = make("classifier")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    for piece in tokenizer["post_processor"]["single"]:
        next(iter(piece.values()))["type_id"] = 7
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(CheckpointError, match="token type 7"):
        load_checkpoint(folder).encode("the film was great")
