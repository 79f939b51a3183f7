"""What the gate promises of a checkpoint is what loading finds, and what cannot be kept is said before."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertLMHeadModel, PreTrainedTokenizerFast

from compecon.attention.budget import KeyBudget
from compecon.attention.routing import is_encoder_decoder
from compecon.checkpoints.catalog import list_checkpoints
from compecon.checkpoints.gate.intake import inspect_checkpoint
from compecon.checkpoints.gate.sentencepiece_file import check_sentencepiece
from compecon.checkpoints.load import load_checkpoint
from compecon.errors import CheckpointError, UnsupportedModelError
from compecon.evaluation.predict_rows import predict
from compecon.tasks.encode_rows import encode
from compecon.tasks.task import Split
from compecon.views.attention.request import problem_with
from tests.support.classifiers import classifier, word_tokenizer

pytestmark = pytest.mark.usefixtures("untried")
Make = Callable[..., Path]


def saved(folder: Path, model: Any, tokenizer: PreTrainedTokenizerFast | None = None, **changes: Any) -> Path:
    """A checkpoint as transformers writes it, with other entries in its config; None takes one away."""
    model.save_pretrained(folder)
    (tokenizer or word_tokenizer(pad_token="[PAD]")).save_pretrained(folder)
    config = {**json.loads((folder / "config.json").read_text()), **changes}
    (folder / "config.json").write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
    return folder


@pytest.mark.parametrize("stated", [True, None], ids=["stated", "left out"])
@pytest.mark.parametrize("family", ["bart", "t5", "mbart"])
def test_several_stacks_are_told_before_loading(tmp_path: Path, family: str, stated: bool | None) -> None:
    folder = saved(tmp_path / family, classifier(family), is_encoder_decoder=stated)
    found = inspect_checkpoint(folder)
    assert found.several_stacks
    assert not [ability for ability in found.abilities if ability.endswith("by budget")]
    [entry] = [entry for entry in list_checkpoints([folder]) if entry.path == folder]
    assert problem_with(entry, "w5 w6", "") is not None


def test_a_family_says_whether_it_has_an_encoder_and_a_decoder() -> None:
    pairs = {"bart": True, "t5": True, "marian": True, "bert": False, "gpt2": False, "no-such-family": False}
    assert {name: is_encoder_decoder(name) for name in pairs} == pairs


def test_one_stack_is_no_several(make: Make) -> None:
    for what in ("encoder", "classifier", "gpt2", "llama"):
        found = inspect_checkpoint(make(what, what))
        assert not found.several_stacks


def test_a_language_model_that_looks_ahead_is_no_causal_one(tmp_path: Path) -> None:
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    for looks_back, folder in ((True, tmp_path / "back"), (False, tmp_path / "ahead")):
        torch.manual_seed(0)
        config = BertConfig(vocab_size=40, is_decoder=looks_back, initializer_range=0.3, **sizes)
        saved(folder, BertLMHeadModel(config))
    assert load_checkpoint(tmp_path / "back").kind == "causal-lm"
    with pytest.raises(UnsupportedModelError, match="looks ahead"):
        load_checkpoint(tmp_path / "ahead")


def remove_heads(folder: Path, gone: dict[int, list[int]], width: int, prefix: str) -> None:
    """Cut heads out of BERT's matrices and name them in the config, as transformers 4 did."""
    tensors = load_file(folder / "model.safetensors")
    for layer, heads in gone.items():
        names = [f"{prefix}.{layer}.attention.self.{part}" for part in ("query", "key", "value")]
        size = tensors[f"{names[0]}.weight"].shape[0]
        kept = torch.tensor([row for row in range(size) if row // width not in heads])
        for name in names:
            for end in ("weight", "bias"):
                tensors[f"{name}.{end}"] = tensors[f"{name}.{end}"][kept].contiguous()
        out = f"{prefix}.{layer}.attention.output.dense.weight"
        tensors[out] = tensors[out][:, kept].contiguous()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config["pruned_heads"] = {str(layer): heads for layer, heads in gone.items()}
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("family", ["bert", "roberta", "electra"])
def test_heads_removed_by_transformers_4_are_opened_as_a_compact_shape(tmp_path: Path, family: str) -> None:
    gone = {0: [1, 3], 1: [0]}
    dense = classifier(family)
    folder = saved(tmp_path / family, dense)
    remove_heads(folder, gone, 8, f"{family}.encoder.layer")
    layers = dense.get_submodule(f"{family}.encoder.layer")
    with torch.no_grad():
        for layer, heads in gone.items():
            for head in heads:
                layers[layer].attention.output.dense.weight[:, 8 * head : 8 * head + 8] = 0
    loaded = load_checkpoint(folder)
    assert inspect_checkpoint(folder).heads_kept == loaded.preflight.heads_kept == ((0, 2), (1, 2, 3))
    batch = loaded.encode("w5 w6 w7").batch
    with torch.no_grad():
        torch.testing.assert_close(loaded.model(**batch).logits, dense(**batch).logits)


def test_removed_heads_of_another_family_are_named_as_the_cause(tmp_path: Path) -> None:
    folder = saved(tmp_path / "ernie", classifier("ernie"))
    remove_heads(folder, {0: [1]}, 8, "ernie.encoder.layer")
    with pytest.raises(UnsupportedModelError, match="pruned_heads"):
        inspect_checkpoint(folder)


@pytest.mark.parametrize(
    "wrong",
    [[1], "0", {"7": [0]}, {"x": [0]}, {"²": [0]}, {"0": 1}, {"0": [4]}, {"0": [-1]}, {"0": [True]}, {"-1": [0]}],
)
def test_removed_heads_that_cannot_be_are_a_sentence(tmp_path: Path, wrong: object) -> None:
    folder = saved(tmp_path / "bert", classifier("bert"), pruned_heads=wrong)
    with pytest.raises(CheckpointError, match="pruned_heads"):
        inspect_checkpoint(folder)


@pytest.mark.parametrize("nothing", [{}, None, []])
def test_no_removed_heads_are_no_compact_shape(tmp_path: Path, nothing: object) -> None:
    folder = saved(tmp_path / "bert", classifier("bert"), pruned_heads=nothing)
    assert inspect_checkpoint(folder).heads_kept is None


@pytest.mark.parametrize("what", ["encoder", "gpt2", "llama", "roberta"])
def test_a_padding_token_beyond_the_vocabulary_is_named(
    make: Make, edit_config: Callable[..., None], what: str
) -> None:
    folder, accepted = make(what), []
    for padding in (300, 21 * 10**9, "0", 1.5, True, -7):
        edit_config(folder, pad_token_id=padding)
        try:
            accepted.append((padding, inspect_checkpoint(folder)))
        except CheckpointError as refusal:
            accepted += [] if "pad_token_id" in str(refusal) else [(padding, refusal)]
    assert accepted == []


def test_no_padding_token_is_written_in_two_ways(make: Make, edit_config: Callable[..., None]) -> None:
    folder = make("gpt2")
    for padding in (None, -1, 0, 299):
        edit_config(folder, pad_token_id=padding)
        assert load_checkpoint(folder).encode("the film").tokens


@pytest.mark.parametrize("family", ["bart", "t5"])
def test_a_classifier_of_several_stacks_is_evaluated_as_promised(tmp_path: Path, family: str) -> None:
    loaded = load_checkpoint(saved(tmp_path / family, classifier(family)))
    rows = encode(loaded.tokenizer, Split(("w5 w6 w7 w8", "w9"), (), np.zeros(2)), 64)
    full, few = (predict(loaded.model, loaded.tokenizer, rows, budget=b) for b in (None, KeyBudget(keys=1)))
    assert full.shape == (2, 3)
    assert not torch.allclose(full, few)


PIECES = b"".join(b"\x0a" + bytes([len(word) + 2]) + b"\x0a" + bytes([len(word)]) + word for word in (b"the", b"film"))


def test_a_damaged_sentencepiece_file_is_named(tmp_path: Path) -> None:
    folder = saved(tmp_path / "t5", classifier("t5"))
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "T5Tokenizer"}))
    for content in (PIECES[:-1], b"\x00\xff garbage" * 9, b"", PIECES + b"\x0a", PIECES + b"\x08\x01", b"\x12\x01a"):
        (folder / "spiece.model").write_bytes(content)
        with pytest.raises(CheckpointError, match=r"spiece\.model is damaged"):
            load_checkpoint(folder)


def test_a_whole_sentencepiece_file_is_not_called_damaged() -> None:
    for content in (PIECES, PIECES + b"\x12\x02ab\x1a\x00", b"IQ== 0\nIg== 1\n"):  # the last one lists tokens in lines
        try:
            check_sentencepiece(content, "tokenizer.model")
        except CheckpointError as error:
            assert "damaged" not in str(error)  # noqa: PT017 - whether the package is there depends on the machine
