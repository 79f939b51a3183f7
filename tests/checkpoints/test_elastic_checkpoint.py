"""Elastic checkpoints: what is loaded is what was saved, at every size; a folder that was tampered with is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from compecon.checkpoints.elastic_file import read_prices, written_prices
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.checkpoints.save import materialise, save_checkpoint
from compecon.compression.elastic.elastic_model import ElasticModel
from compecon.errors import CheckpointError
from tests.support.elastic import made_elastic

pytestmark = pytest.mark.usefixtures("untried")
Make = Callable[..., Path]
TEXT = "the film was great"
FILE = "elastic.safetensors"
SIZES = {"num_hidden_layers": 3, "num_attention_heads": 4, "initializer_range": 0.3}


def elastic_checkpoint(make: Make, what: str = "classifier") -> tuple[ElasticModel, Path]:
    dense = load_checkpoint(make(what, "dense", **SIZES), "cpu")
    made = made_elastic(dense).elastic
    assert made is not None
    return made, save_checkpoint(made.model, dense.tokenizer, dense.path.parent / "elastic", prices=made.prices)


def logits(checkpoint: Checkpoint) -> Tensor:
    with torch.inference_mode():
        return checkpoint.model(**checkpoint.encode(TEXT).batch)[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize("what", ["classifier", "roberta", "gpt2"])
def test_every_size_is_loaded_as_it_was_saved(make: Make, what: str) -> None:
    made, folder = elastic_checkpoint(make, what)
    loaded = load_checkpoint(folder, "cpu")
    batch = loaded.encode(TEXT).batch
    for budget in (1, 0.8, 0.6, 0.5, 0.4):
        with torch.inference_mode():
            expected = made.at(budget)(**batch)[0]
        torch.testing.assert_close(logits(loaded.at(budget)), expected, atol=1e-6, rtol=1e-6)
    assert loaded.elastic is not None
    assert dict(loaded.elastic.prices.bought) == dict(made.prices.bought)
    assert loaded.at(0.5).digest != loaded.at(0.6).digest != loaded.digest


def test_a_size_is_saved_as_a_checkpoint_of_its_own(make: Make, tmp_path: Path) -> None:
    _, folder = elastic_checkpoint(make)
    whole = load_checkpoint(folder, "cpu")
    size = whole.at(0.4)
    own = load_checkpoint(save_checkpoint(size.model, size.tokenizer, tmp_path / "own"), "cpu")
    about, expected = size.preflight, own.preflight
    assert (about.parameters, about.heads_kept) == (expected.parameters, expected.heads_kept)
    torch.testing.assert_close(logits(own), logits(size), atol=1e-6, rtol=1e-6)
    weights, less = (sum(file.stat().st_size for file in each.glob("model*")) for each in (folder, own.path))
    assert less < weights
    with pytest.raises(CheckpointError, match="single size"):
        own.at(0.4)


def test_a_copy_is_elastic_too(make: Make, tmp_path: Path) -> None:
    _, folder = elastic_checkpoint(make)
    copied = load_checkpoint(materialise(folder, tmp_path / "copy"), "cpu")
    torch.testing.assert_close(logits(copied.at(0.4)), logits(load_checkpoint(folder, "cpu").at(0.4)))


@pytest.mark.parametrize("budget", [0.0, 0.39, 1.1, float("nan")], ids=str)
def test_a_budget_out_of_range_is_refused_with_the_checkpoints_name(make: Make, budget: float) -> None:
    _, folder = elastic_checkpoint(make)
    with pytest.raises(CheckpointError, match=r"elastic: budget must be.*from 0\.4"):
        load_checkpoint(folder, "cpu").at(budget)


def forget(folder: Path) -> None:
    """Leave no digests, so that what the file says is judged by itself."""
    record = json.loads((folder / "compecon.json").read_text())
    (folder / "compecon.json").write_text(json.dumps({**record, "sha256": {}}))


def changed(folder: Path, **tensors: Tensor | None) -> None:
    there = load_file(folder / FILE) | tensors
    save_file({name: tensor for name, tensor in there.items() if tensor is not None}, folder / FILE)


WRONG: dict[str, Callable[[Path], None]] = {
    "no safetensors": lambda folder: (folder / FILE).write_bytes(b"elastic") and None,
    "cut off": lambda folder: (folder / FILE).write_bytes((folder / FILE).read_bytes()[:-9]) and None,
    "without costs": lambda folder: changed(folder, costs=None),
    "with more": lambda folder: changed(folder, code=torch.ones(1)),
    "another order": lambda folder: changed(folder, columns=load_file(folder / FILE)["columns"].fill_(0)),
    "columns of no layer": lambda folder: changed(folder, columns=load_file(folder / FILE)["columns"] + 6),
    "other costs": lambda folder: changed(folder, costs=load_file(folder / FILE)["costs"] * 2),
    "costs that are no numbers": lambda folder: changed(folder, costs=load_file(folder / FILE)["costs"] * torch.nan),
    "a budget above 1": lambda folder: changed(folder, budgets=load_file(folder / FILE)["budgets"] * 2),
    "more bought than there is": lambda folder: changed(folder, bought=load_file(folder / FILE)["bought"] + 10**6),
    "a budget without a size": lambda folder: changed(folder, bought=load_file(folder / FILE)["bought"][1:]),
    "whole numbers as fractions": lambda folder: changed(folder, bought=load_file(folder / FILE)["bought"].double()),
    "a table": lambda folder: changed(folder, values=load_file(folder / FILE)["values"].unsqueeze(0)),
    "no length": lambda folder: changed(folder, n_tokens=torch.tensor([0])),
}


@pytest.mark.parametrize("damage", WRONG.values(), ids=WRONG)
def test_a_wrong_price_list_is_refused(make: Make, damage: Callable[[Path], None]) -> None:
    _, folder = elastic_checkpoint(make)
    forget(folder)
    damage(folder)
    with pytest.raises(CheckpointError, match=FILE):
        load_checkpoint(folder, "cpu")


def test_a_price_list_that_was_lost_is_missed(make: Make) -> None:
    _, folder = elastic_checkpoint(make)
    (folder / FILE).unlink()
    with pytest.raises(CheckpointError, match=f"{FILE} is missing"):
        load_checkpoint(folder, "cpu")


def test_a_checkpoint_says_what_it_is(make: Make) -> None:
    _, folder = elastic_checkpoint(make)
    whole = load_checkpoint(folder, "cpu")
    assert "elastic" in repr(whole)
    assert "elastic at 0.4" in repr(whole.at(0.4))


@pytest.mark.parametrize("name", [FILE, "model.safetensors"])
def test_a_file_changed_after_it_was_saved_is_refused(make: Make, name: str) -> None:
    _, folder = elastic_checkpoint(make)
    content = bytearray((folder / name).read_bytes())
    content[-3] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(CheckpointError, match="changed since it was saved"):
        load_checkpoint(folder, "cpu")


def test_a_price_list_is_read_as_it_was_written(make: Make) -> None:
    made, _ = elastic_checkpoint(make)
    again = read_prices(written_prices(made.prices))
    assert torch.equal(again.columns, made.prices.columns)
    assert torch.equal(again.values, made.prices.values)
    assert (again.bought, again.n_tokens) == (dict(made.prices.bought), 6)
