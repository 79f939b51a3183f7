"""Checkpoints of compacted models: through the same gate as any other, and open to plain transformers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention, recorded_attention
from compecon.attention.key_budget_sweep import sweep
from compecon.checkpoints.bundle import save_weights
from compecon.checkpoints.gate.folder_files import open_root
from compecon.checkpoints.gate.intake import inspect_checkpoint
from compecon.checkpoints.gate.record import read_record
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.checkpoints.save import materialise, save_checkpoint
from compecon.compression.compact_model import compact, kept_heads
from compecon.compression.families import layers_of
from compecon.compression.units import Units
from compecon.errors import CheckpointError

pytestmark = pytest.mark.usefixtures("untried")
Make = Callable[..., Path]
Edit = Callable[..., None]
TEXT = "the film was great"
KINDS = ["encoder", "classifier", "masked-lm", "roberta", "gpt2"]
SIZES = {"num_hidden_layers": 3, "num_attention_heads": 4, "initializer_range": 0.3}


def smaller(model: Any, heads: tuple[tuple[int, ...], ...] = ((1, 3), (), (0,)), neurons: int = 5) -> Any:
    """Without a head in the middle, without a neuron at the end."""
    layers = layers_of(model)
    values = Units(
        tuple(torch.rand(4) * torch.tensor([float(head in kept) for head in range(4)]) for kept in heads),
        tuple(torch.rand(layer.n_neurons) * (torch.arange(layer.n_neurons) < neurons) for layer in layers),
    )
    values.neurons[-1].zero_()
    return compact(model, values)


def small_checkpoint(make: Make, what: str = "classifier") -> tuple[Any, Checkpoint, Path]:
    """A compacted model, the dense checkpoint it was made of, and the folder it was saved in."""
    dense = load_checkpoint(make(what, "dense", **SIZES))
    model = smaller(dense.model)
    return model, dense, save_checkpoint(model, dense.tokenizer, dense.path.parent / "small")


def logits(model: Any, batch: dict[str, Tensor]) -> Tensor:
    with torch.inference_mode():
        return model(**batch)[0]  # type: ignore[no-any-return]


# ---- loading


@pytest.mark.parametrize("what", KINDS)
def test_what_is_loaded_is_what_was_saved(make: Make, what: str) -> None:
    model, dense, folder = small_checkpoint(make, what)
    loaded = load_checkpoint(folder)
    batch = loaded.encode(TEXT).batch
    torch.testing.assert_close(logits(loaded.model, batch), logits(model, batch), rtol=0, atol=1e-6)
    assert type(loaded.model) is type(model)
    assert (loaded.kind, loaded.labels) == (dense.kind, dense.labels)
    assert kept_heads(loaded.model) == ((1, 3), (), (0,))


@pytest.mark.parametrize("what", KINDS)
def test_what_is_read_beforehand_is_what_the_loaded_model_has(make: Make, what: str) -> None:
    model, dense, folder = small_checkpoint(make, what)
    found = inspect_checkpoint(folder)
    assert (found.layers, found.heads, found.hidden_size) == (3, 4, dense.preflight.hidden_size)
    assert (found.model_type, found.routed) == (f"compact-{dense.preflight.model_type}", True)
    assert found.architecture == f"Compact{dense.preflight.architecture}"
    assert found.max_positions == dense.preflight.max_positions
    assert found.parameters == model.num_parameters() < dense.preflight.parameters
    assert found.heads_kept == ((1, 3), (), (0,))
    assert dense.preflight.heads_kept is None
    assert json.loads(json.dumps(asdict(found)))["heads_kept"] == [[1, 3], [], [0]]


@pytest.mark.slow
def test_plain_transformers_opens_the_folder_after_one_import(make: Make) -> None:
    model, dense, folder = small_checkpoint(make)
    ids = dense.encode(TEXT).batch["input_ids"]
    script = (
        "import sys, torch, compecon.compression.architectures\n"
        "from transformers import AutoModelForSequenceClassification, AutoTokenizer\n"
        "model = AutoModelForSequenceClassification.from_pretrained(sys.argv[1]).eval()\n"
        "ids = AutoTokenizer.from_pretrained(sys.argv[1])(sys.argv[2], return_tensors='pt')['input_ids']\n"
        "print(ids.tolist(), model(ids).logits.tolist(), sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, folder, TEXT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    read, computed = map(json.loads, done.stdout.splitlines())
    assert read == ids.tolist()
    torch.testing.assert_close(torch.tensor(computed), logits(model, {"input_ids": ids}), rtol=0, atol=1e-6)


def test_a_folder_that_transformers_saved_itself_is_opened_too(make: Make) -> None:
    model, dense, _ = small_checkpoint(make, "gpt2")
    folder = dense.path.parent / "by-hand"
    model.save_pretrained(folder)
    dense.tokenizer.save_pretrained(folder)
    batch = dense.encode(TEXT).batch
    torch.testing.assert_close(logits(load_checkpoint(folder).model, batch), logits(model, batch), rtol=0, atol=1e-6)


@pytest.mark.slow
def test_a_tokenizer_beside_a_compacted_model_passes_its_trial(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    _, dense, folder = small_checkpoint(make)
    monkeypatch.undo()
    assert load_checkpoint(folder).encode(TEXT).tokens == dense.encode(TEXT).tokens


# ---- attention


@pytest.mark.parametrize("what", KINDS)
def test_attention_is_observed_and_budgeted_layer_by_layer(make: Make, what: str) -> None:
    checkpoint = load_checkpoint(small_checkpoint(make, what)[2])
    batch = checkpoint.encode(TEXT).batch
    n = batch["input_ids"].shape[1]
    dense = logits(checkpoint.model, batch)
    with recorded_attention(checkpoint.model) as records, budgeted_attention(checkpoint.model, KeyBudget(keys=n)):
        torch.testing.assert_close(logits(checkpoint.model, batch), dense, rtol=0, atol=1e-5)
    assert [(record.layer, record.weights.shape[1]) for record in records] == [(0, 2), (2, 1)]
    tight, full = sweep(checkpoint.model, batch, [KeyBudget(keys=1), None], layers=[2])
    assert [record.layer for record in (*tight.attention, *full.attention)] == [2, 2]
    torch.testing.assert_close(full.output[0], dense, rtol=0, atol=1e-5)
    assert (tight.output[0] - full.output[0]).abs().max() > 1e-4


def test_the_attention_of_a_model_without_any_head_is_refused_by_name(make: Make) -> None:
    dense = load_checkpoint(make("encoder", **SIZES))
    folder = save_checkpoint(smaller(dense.model, ((), (), ())), dense.tokenizer, dense.path.parent / "small")
    small = load_checkpoint(folder)  # it can be run and measured
    with pytest.raises(TypeError, match=r"CompactBertModel \(compact-bert\) has no attention head left"):
        sweep(small.model, small.encode("some words").batch, [None])


# ---- configs of unknown origin

WRONG = {
    "no object": ([1, 2], "object of"),
    "a key too many": ({"heads": [[], [], []], "neurons": [1, 1, 1], "code": "x"}, "alone"),
    "a layer too few": ({"heads": [[0], [0]], "neurons": [1, 1, 1]}, "each of 3 layers, got 2 entries"),
    "no list": ({"heads": {"0": [0]}, "neurons": [1, 1, 1]}, "got a dict"),
    "a head that never was": ({"heads": [[4], [], []], "neurons": [1, 1, 1]}, "layer 0 by whole numbers from 0 to 3"),
    "a negative head": ({"heads": [[0], [-1], []], "neurons": [1, 1, 1]}, "layer 1 by whole numbers"),
    "a head twice": ({"heads": [[0], [0, 0], []], "neurons": [1, 1, 1]}, "layer 1 once each"),
    "a flag for a head": ({"heads": [[True], [], []], "neurons": [1, 1, 1]}, "whole numbers"),
    "text for a layer": ({"heads": ["0", [], []], "neurons": [1, 1, 1]}, "whole numbers"),
    "a fraction": ({"heads": [[0], [], []], "neurons": [1, 1.5, 1]}, "neurons in layer 1"),
    "more neurons than there were": ({"heads": [[0], [], []], "neurons": [1, 1, 10**9]}, "expected 0 to 16"),
    "fewer than none": ({"heads": [[0], [], []], "neurons": [1, -1, 1]}, "neurons in layer 1"),
}


@pytest.mark.parametrize(("entry", "message"), WRONG.values(), ids=WRONG)
def test_a_config_that_keeps_what_cannot_be_is_refused_before_anything_is_loaded(
    make: Make, edit_config: Edit, entry: object, message: str
) -> None:
    _, _, folder = small_checkpoint(make)
    (folder / "compecon.json").unlink()
    edit_config(folder, compact=entry)
    with pytest.raises(CheckpointError, match=f"does not say what was kept.*{message}"):
        inspect_checkpoint(folder)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    "entry",
    [
        {"heads": [[0, 1], [], [0, 1]], "neurons": [5, 5, 0]},
        {"heads": [[1, 3], [], [0]], "neurons": [5, 4, 0]},
        {"heads": [[1, 3], [2], [0]], "neurons": [5, 5, 0]},
        {"heads": [[1, 3], [], []], "neurons": [5, 5, 0]},
        None,
    ],
    ids=str,
)
def test_a_config_that_keeps_other_than_is_stored_is_refused(make: Make, edit_config: Edit, entry: object) -> None:
    _, _, folder = small_checkpoint(make)
    (folder / "compecon.json").unlink()
    edit_config(folder, compact=entry)
    with pytest.raises(CheckpointError, match=r"do not belong together|missing|not part of the model|are stored"):
        load_checkpoint(folder)


def test_a_family_that_is_not_compacted_is_refused(make: Make, edit_config: Edit) -> None:
    _, _, folder = small_checkpoint(make)
    (folder / "compecon.json").unlink()
    edit_config(folder, model_type="compact-ernie")
    with pytest.raises(TypeError, match="no model of type 'compact-ernie'"):
        load_checkpoint(folder)


# ---- saving


def test_a_checkpoint_says_how_it_came_about(make: Make) -> None:
    model, dense, _ = small_checkpoint(make)
    told = {"title": "Half", "task": "sentiment", "training": {"target": 0.45, "parent": "sentiment", "seed": 3}}
    folder = save_checkpoint(model, dense.tokenizer, dense.path.parent / "told", record=told)
    manifest = json.loads((folder / "compecon.json").read_text())
    assert list(manifest) == ["schema", "title", "task", "training", "sha256"]
    assert manifest["training"] == told["training"]
    assert load_checkpoint(folder).name == "told"


@pytest.mark.parametrize("written", [None, [1], "x", {"seed": 3}], ids=str)
def test_a_record_of_unknown_origin_tells_of_its_training_or_of_nothing(
    make: Make, edit_config: Edit, written: object
) -> None:
    folder = make("classifier")
    edit_config(folder, "compecon.json", schema=1, training=written)
    expected = written if isinstance(written, dict) else {}
    assert read_record(open_root(folder, None), trusted=False).training == expected


def test_saving_leaves_model_and_tokenizer_alone(make: Make) -> None:
    dense = load_checkpoint(make("classifier", **SIZES))
    dense.tokenizer([TEXT], truncation=True, max_length=3, padding="max_length")
    config, limit = dense.model.config.to_dict(), dense.tokenizer.backend_tokenizer.truncation
    folder = save_checkpoint(dense.model, dense.tokenizer, dense.path.parent / "half", dtype=torch.float16)
    assert dense.model.config.to_dict() == config
    assert dense.tokenizer.backend_tokenizer.truncation == limit
    assert {tensor.dtype for tensor in load_file(folder / "model.safetensors").values()} == {torch.float16}
    assert json.loads((folder / "tokenizer.json").read_text())["truncation"] is None


@pytest.mark.parametrize(
    ("record", "error"),
    [({"seed": 3}, ValueError), ({"training": {"price": float("nan")}}, ValueError), ({"title": {1, 2}}, TypeError)],
)
def test_nothing_is_left_of_a_save_that_failed(make: Make, record: dict[str, Any], error: type[Exception]) -> None:
    dense = load_checkpoint(make("classifier", **SIZES))
    folder = dense.path.parent / "deep" / "new"
    with pytest.raises(error):
        save_checkpoint(dense.model, dense.tokenizer, folder, record=record)
    assert not list(folder.parent.iterdir())


def test_a_folder_with_content_is_not_written_into(make: Make, tmp_path: Path) -> None:
    dense = load_checkpoint(make("classifier", **SIZES))
    (tmp_path / "empty").mkdir()
    save_checkpoint(dense.model, dense.tokenizer, tmp_path / "empty")
    with pytest.raises(CheckpointError, match="has content already"):
        save_checkpoint(dense.model, dense.tokenizer, tmp_path / "empty")


@pytest.fixture
def bundle(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle of a dense model, "whole", and a compacted one, "part", that have their embeddings in common."""
    model, dense, _ = small_checkpoint(make)
    root = tmp_path / "bundle"
    for name, one in (("whole", dense.model), ("part", model)):
        save_weights(one, dense.tokenizer, root / name, "bert.embeddings.")
    monkeypatch.setattr("compecon.checkpoints.locate.bundled_root", lambda: root)
    return root


def test_compacted_models_share_embeddings_with_dense_ones(bundle: Path) -> None:
    assert not any(name.startswith("bert.embeddings.") for name in load_file(bundle / "part" / "model.safetensors"))
    whole, part = load_checkpoint("whole").model, load_checkpoint("part").model
    assert kept_heads(part) == ((1, 3), (), (0,))
    torch.testing.assert_close(part.bert.embeddings.state_dict(), whole.bert.embeddings.state_dict(), rtol=0, atol=0)


@pytest.mark.usefixtures("bundle")
def test_an_exported_compacted_checkpoint_stands_alone(tmp_path: Path) -> None:
    bundled = load_checkpoint("part")
    exported = load_checkpoint(materialise("part", tmp_path / "exported"))
    assert "shared" not in json.loads((exported.path / "compecon.json").read_text())
    batch = bundled.encode(TEXT).batch
    torch.testing.assert_close(logits(exported.model, batch), logits(bundled.model, batch), rtol=0, atol=0)
