from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from compecon.checkpoints.catalog import VARIABLE, list_checkpoints
from compecon.checkpoints.gate.intake import inspect_checkpoint
from compecon.checkpoints.load import load_checkpoint
from compecon.checkpoints.locate import locate
from compecon.checkpoints.save import materialise
from compecon.errors import CheckpointError

pytestmark = pytest.mark.usefixtures("untried")
Make = Callable[..., Path]
Edit = Callable[..., None]
WEIGHTS = "model.safetensors"
TEXT = "the film was great"


@pytest.fixture(autouse=True)
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty bundle and an empty Hub cache in place of this machine's."""
    monkeypatch.setattr("compecon.checkpoints.locate.assets", lambda: tmp_path / "assets")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv(VARIABLE, raising=False)
    root = tmp_path / "assets" / "checkpoints"
    root.mkdir(parents=True)
    return root


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def sharing(make: Make, bundle: Path, edit_config: Edit) -> Path:
    """A bundled classifier whose word vectors lie in a file beside it, together with a tensor of somebody else."""
    folder = bundle / "sentiment"
    shutil.move(make("classifier"), folder)
    tensors = load_file(folder / WEIGHTS)
    name = "bert.embeddings.word_embeddings.weight"
    (bundle / "shared").mkdir()
    shared = bundle / "shared" / "embeddings.safetensors"
    save_file({"words": tensors.pop(name), "of.another": torch.ones(3)}, shared)
    save_file(tensors, folder / WEIGHTS)
    entry = {"file": "../shared/embeddings.safetensors", "tensor": "words", "sha256": digest_of(shared)}
    sums = {WEIGHTS: digest_of(folder / WEIGHTS)}
    edit_config(
        folder, "compecon.json", schema=1, title="Film reviews", task="sentiment", shared={name: entry}, sha256=sums
    )
    return folder


def cached(folder: Path, hub: Path, repo: str, *, main: bool = True) -> Path:
    repository = hub / f"models--{repo.replace('/', '--')}"
    snapshot = repository / "snapshots" / ("a" * 40)
    snapshot.parent.mkdir(parents=True)
    shutil.move(folder, snapshot)
    if main:
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text("a" * 40)
    return snapshot


def test_listing_checkpoints_loads_neither_torch_nor_transformers() -> None:
    program = (
        "import sys; from compecon.checkpoints.catalog import list_checkpoints; list_checkpoints();"
        "print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.usefixtures("sharing")
def test_bundled_local_and_cached_checkpoints_are_listed_in_that_order(make: Make, tmp_path: Path) -> None:
    cached(make("gpt2"), tmp_path / "hub", "owner/story-teller")
    folder = make("masked-lm", "models/guesser")
    entries = list_checkpoints([folder.parent])
    assert [(entry.name, entry.origin, entry.title, entry.problem) for entry in entries] == [
        ("sentiment", "bundled", "Film reviews", ""),
        ("guesser", "local", "guesser", ""),
        ("owner/story-teller", "hub-cache", "owner/story-teller", ""),
    ]
    assert [entry.architecture for entry in entries] == [
        "BertForSequenceClassification",
        "BertForMaskedLM",
        "GPT2LMHeadModel",
    ]


@pytest.mark.usefixtures("sharing")
def test_every_listed_checkpoint_loads_by_its_path(make: Make, tmp_path: Path) -> None:
    cached(make("gpt2"), tmp_path / "hub", "owner/story-teller")
    for entry in list_checkpoints([make("encoder", "models/encoder").parent]):
        assert load_checkpoint(entry.path).name == entry.name


def test_a_folder_given_directly_is_listed_and_listed_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make()
    monkeypatch.setenv(VARIABLE, os.pathsep.join([str(folder), str(folder.parent)]))
    assert [entry.path for entry in list_checkpoints([folder])] == [folder]


def test_broken_folders_are_listed_with_their_reason(make: Make, tmp_path: Path) -> None:
    root = tmp_path / "models"
    (make("encoder", "models/no-weights") / WEIGHTS).unlink()
    (make("encoder", "models/bad-json") / "config.json").write_text("{")
    (make("encoder", "models/no-config") / "config.json").unlink()
    (root / "unrelated").mkdir()
    (root / "notes.txt").write_text("not a folder")
    problems = {entry.name: entry.problem for entry in list_checkpoints([root, tmp_path / "absent"])}
    assert set(problems) == {"bad-json", "no-config", "no-weights", "absent"}
    assert "not valid JSON" in problems["bad-json"]
    assert "no config.json" in problems["no-config"]
    assert "no weights" in problems["no-weights"]
    assert "no folder" in problems["absent"]


def test_a_bundled_name_wins_over_a_folder_of_that_name(
    sharing: Path, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("gpt2", "sentiment")
    monkeypatch.chdir(tmp_path)
    assert locate("sentiment").path == sharing
    assert locate("./sentiment").origin == "local"


@pytest.mark.parametrize("main", [True, False])
def test_a_hub_id_in_the_cache_is_found_with_or_without_a_main_revision(make: Make, tmp_path: Path, main: bool) -> None:
    snapshot = cached(make("gpt2"), tmp_path / "hub", "owner/story-teller", main=main)
    assert load_checkpoint("owner/story-teller").path == snapshot


@pytest.mark.usefixtures("sharing")
@pytest.mark.parametrize("source", ["owner/unknown", "unknown", "../x", "owner/../x", "a/b/c", "", "owner/na me"])
def test_what_is_nowhere_is_a_sentence_that_names_the_bundled_ones(source: str) -> None:
    with pytest.raises(CheckpointError, match="sentiment"):
        load_checkpoint(source)


def test_a_main_revision_that_leads_elsewhere_is_not_followed(make: Make, tmp_path: Path) -> None:
    snapshot = cached(make("gpt2"), tmp_path / "hub", "owner/name")
    (snapshot.parents[1] / "refs" / "main").write_text("../../../../elsewhere")
    assert locate("owner/name").path == snapshot


# Tensors that bundled checkpoints share


def test_a_bundled_checkpoint_takes_its_shared_tensors_from_beside_it(sharing: Path) -> None:
    checkpoint = load_checkpoint("sentiment")
    words = load_file(sharing.parent / "shared" / "embeddings.safetensors")["words"]
    torch.testing.assert_close(checkpoint.model.get_input_embeddings().weight.data, words)
    assert checkpoint.preflight.parameters == checkpoint.model.num_parameters()
    assert checkpoint.digest == inspect_checkpoint(sharing, trusted_root=sharing.parent).digest


def test_a_copy_of_a_bundled_folder_elsewhere_is_not_trusted(sharing: Path, tmp_path: Path) -> None:
    shutil.copytree(sharing.parent, tmp_path / "copy")
    with pytest.raises(CheckpointError, match="only bundled"):
        load_checkpoint(tmp_path / "copy" / "sentiment")


def test_a_changed_shared_file_is_refused(sharing: Path) -> None:
    shared = sharing.parent / "shared" / "embeddings.safetensors"
    content = bytearray(shared.read_bytes())
    content[-1] ^= 1
    shared.write_bytes(content)
    with pytest.raises(CheckpointError, match="was changed"):
        load_checkpoint("sentiment")


@pytest.mark.parametrize(
    "entry",
    [
        {"file": "../shared/absent.safetensors"},
        {"file": "../../outside.safetensors"},
        {"file": "/etc/passwd"},
        {"file": "../shared/../../outside.safetensors"},
        {"tensor": "absent"},
        {"sha256": "no sum"},
        {"sha256": None},
    ],
)
def test_a_shared_tensor_that_is_not_there_is_refused(sharing: Path, tmp_path: Path, entry: dict[str, object]) -> None:
    shutil.copy(sharing / WEIGHTS, tmp_path / "assets" / "outside.safetensors")
    record = json.loads((sharing / "compecon.json").read_text())
    for shared in record["shared"].values():
        shared |= entry
    (sharing / "compecon.json").write_text(json.dumps(record))
    with pytest.raises(CheckpointError):
        load_checkpoint("sentiment")


def test_a_tensor_both_shared_and_own_is_refused(sharing: Path, edit_config: Edit) -> None:
    tensors = load_file(sharing / WEIGHTS) | {"bert.embeddings.word_embeddings.weight": torch.zeros(21, 8)}
    save_file(tensors, sharing / WEIGHTS)
    edit_config(sharing, "compecon.json", sha256=None)
    with pytest.raises(CheckpointError, match="stored twice"):
        load_checkpoint("sentiment")


# Stand-alone copies


@pytest.mark.usefixtures("sharing")
def test_a_stand_alone_copy_opens_in_plain_transformers_with_the_same_logits(tmp_path: Path) -> None:
    folder = materialise("sentiment", tmp_path / "alone" / "sentiment")
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    bundled = load_checkpoint("sentiment")
    with torch.no_grad():
        ours = bundled.model(**bundled.encode(TEXT).batch).logits
        theirs = model(**tokenizer(TEXT, return_tensors="pt")).logits
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


@pytest.mark.usefixtures("sharing")
def test_a_stand_alone_copy_keeps_its_record_and_passes_the_gate(tmp_path: Path) -> None:
    folder = materialise("sentiment", tmp_path / "alone")
    (entry,) = list_checkpoints([folder])[1:]
    assert (entry.title, entry.task, entry.problem) == ("Film reviews", "sentiment", "")
    assert load_checkpoint(folder).labels == load_checkpoint("sentiment").labels


@pytest.mark.usefixtures("sharing")
def test_a_copy_does_not_overwrite(make: Make) -> None:
    with pytest.raises(CheckpointError, match="has content"):
        materialise("sentiment", make())


def test_an_ordinary_folder_can_be_copied_too(make: Make, tmp_path: Path) -> None:
    source = make()
    copy = materialise(source, tmp_path / "copy")
    ours, theirs = AutoModel.from_pretrained(source).state_dict(), AutoModel.from_pretrained(copy).state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
