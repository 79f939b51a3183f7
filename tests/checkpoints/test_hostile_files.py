"""Folders that would act, lead elsewhere or exhaust the machine if transformers opened them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from compecon.checkpoints.gate.intake import Survey, inspect_checkpoint, survey
from compecon.checkpoints.load import load_checkpoint
from compecon.errors import CheckpointError, CompeconError, UnsupportedModelError

pytestmark = pytest.mark.usefixtures("untried")
Make = Callable[..., Path]
Edit = Callable[..., None]
Write = Callable[..., None]
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"


def refusal(folder: str | Path, error: type[CompeconError] = CheckpointError) -> str:
    """What the gate says, after making sure that loading says the same."""
    with pytest.raises(error) as inspected:
        inspect_checkpoint(folder)
    with pytest.raises(error) as loaded:
        load_checkpoint(folder)
    message = str(inspected.value)
    assert message == str(loaded.value) or not os.path.isdir(folder)  # noqa: PTH112 - pathlib raises on what is no path
    assert message.endswith(".")
    assert "\n" not in message
    return message


def index(folder: Path, name: str) -> None:
    """Make the weights a shard of that name in an index, without moving them there."""
    tensors = load_file(folder / WEIGHTS)
    (folder / INDEX).write_text(json.dumps({"weight_map": dict.fromkeys(tensors, name)}))


# What is not there, or not what it seems


@pytest.mark.parametrize("path", ["/nowhere/at/all", "no\x00byte", "x" * 5000, "~nobody-of-that-name/model"])
def test_an_unknown_path_is_named(path: str) -> None:
    assert repr(path)[1:50] in refusal(path)


def test_a_file_is_no_checkpoint(make: Make) -> None:
    with pytest.raises(CheckpointError, match="is a file"):
        inspect_checkpoint(make() / "config.json")


def test_a_folder_without_a_config_is_named(tmp_path: Path) -> None:
    assert "no config.json" in refusal(tmp_path)


def test_a_folder_without_weights_is_named(make: Make) -> None:
    folder = make()
    (folder / WEIGHTS).unlink()
    assert "no weights" in refusal(folder)


def test_a_folder_without_a_tokenizer_says_how_to_add_it(make: Make) -> None:
    folder = make()
    (folder / "tokenizer.json").unlink()
    assert "tokenizer.save_pretrained" in refusal(folder)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.ckpt", "model.pkl"])
def test_pickled_weights_are_refused_with_a_way_out(make: Make, name: str) -> None:
    folder = make()
    (folder / WEIGHTS).unlink()
    torch.save({}, folder / name)
    message = refusal(folder)
    assert name in message
    assert "save_pretrained" in message


@pytest.mark.parametrize("name", ["model-Q4_K_M.gguf", "tf_model.h5", "flax_model.msgpack", "model.fp16.safetensors"])
def test_weights_in_another_format_are_named(make: Make, name: str) -> None:
    folder = make()
    (folder / WEIGHTS).rename(folder / name)
    assert name in refusal(folder)


# Code, and loading from elsewhere


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_remote_code_is_refused_and_does_not_run(make: Make, edit_config: Edit, tmp_path: Path, file: str) -> None:
    folder, ran = make(), tmp_path / "ran"
    (folder / "modeling_own.py").write_text(f"import pathlib; pathlib.Path({str(ran)!r}).touch()")
    edit_config(folder, file, auto_map={"AutoModel": "modeling_own.Model"})
    assert "auto_map" in refusal(folder)
    assert not ran.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"attn_implementation": "evil/kernel"},
        {"_attn_implementation": "evil/kernel"},
        {"_attn_implementation_internal": "evil/kernel:v1"},
        {"attn_implementation": {"text_config": "evil/kernel"}},
        {"text_config": {"deep": [{"_attn_implementation": "evil/kernel"}]}},
        {"experts_implementation": "evil/kernel"},
    ],
)
def test_an_attention_kernel_from_elsewhere_is_refused(make: Make, edit_config: Edit, change: dict[str, Any]) -> None:
    folder = make()
    edit_config(folder, **change)
    assert "evil/kernel" in refusal(folder)


def test_an_attention_implementation_of_transformers_own_is_overruled(make: Make, edit_config: Edit) -> None:
    folder = make()
    edit_config(folder, _attn_implementation="flash_attention_2")
    assert load_checkpoint(folder).model.config._attn_implementation != "flash_attention_2"


@pytest.mark.parametrize("key", ["kernel_config", "fusion_config", "transformers_weights"])
def test_other_keys_that_redirect_loading_are_refused(make: Make, edit_config: Edit, key: str) -> None:
    folder = make()
    edit_config(folder, **{key: "../elsewhere.safetensors"})
    assert key in refusal(folder)


def test_an_adapter_is_refused_before_it_names_another_model(make: Make, edit_config: Edit) -> None:
    folder = make()
    edit_config(folder, "adapter_config.json", base_model_name_or_path="/etc", peft_type="LORA")
    assert "adapter" in refusal(folder)


def test_quantised_weights_are_refused(make: Make, edit_config: Edit) -> None:
    folder = make()
    edit_config(folder, quantization_config={"quant_method": "bitsandbytes"})
    assert "quantised" in refusal(folder, UnsupportedModelError)


# Links and paths


@pytest.mark.parametrize("name", ["config.json", WEIGHTS, "tokenizer.json"])
def test_a_link_out_of_the_folder_is_refused(make: Make, tmp_path: Path, name: str) -> None:
    folder = make()
    shutil.move(folder / name, tmp_path / "outside")
    (folder / name).symlink_to(tmp_path / "outside")
    assert "leads out of its folder" in refusal(folder)


def test_a_link_within_the_folder_is_followed(make: Make) -> None:
    folder = make()
    (folder / WEIGHTS).rename(folder / "real.safetensors")
    (folder / WEIGHTS).symlink_to("real.safetensors")
    assert load_checkpoint(folder).kind == "encoder"


@pytest.mark.parametrize("target", ["missing", WEIGHTS])
def test_a_link_to_nothing_or_to_itself_is_refused(make: Make, target: str) -> None:
    folder = make()
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).symlink_to(target)
    assert "missing" in refusal(folder)


@pytest.mark.parametrize("absolute", [False, True])
def test_a_shard_outside_the_folder_is_refused(make: Make, tmp_path: Path, absolute: bool) -> None:
    folder = make()
    index(folder, str(tmp_path / "w.safetensors") if absolute else "../w.safetensors")
    shutil.move(folder / WEIGHTS, tmp_path / "w.safetensors")
    assert "w.safetensors" in refusal(folder)


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "..", "", "a/b.safetensors", "a\\b.safetensors", "C:w.safetensors"]
)
def test_a_shard_that_is_no_plain_safetensors_file_is_refused(make: Make, name: str) -> None:
    folder = make()
    index(folder, name)
    (folder / WEIGHTS).unlink()
    assert repr(name) in refusal(folder)


def test_an_index_that_lies_about_its_shards_is_refused(make: Make) -> None:
    folder = make()
    tensors = load_file(folder / WEIGHTS)
    (folder / INDEX).write_text(json.dumps({"weight_map": dict.fromkeys([*tensors, "extra"], "a.safetensors")}))
    (folder / WEIGHTS).rename(folder / "a.safetensors")
    assert "'extra'" in refusal(folder)


@pytest.mark.parametrize("name", ["config.json", WEIGHTS, "tokenizer.json", "compecon.json"])
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this platform has no named pipes")
def test_a_pipe_is_refused_without_waiting_for_it(make: Make, name: str) -> None:
    folder = make()
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    assert "not a regular file" in refusal(folder)


def test_a_folder_in_place_of_a_file_is_refused(make: Make) -> None:
    folder = make()
    (folder / "config.json").unlink()
    (folder / "config.json").mkdir()
    assert "not a regular file" in refusal(folder)


# Sizes


def test_a_config_beyond_a_megabyte_is_refused(make: Make, edit_config: Edit) -> None:
    folder = make()
    edit_config(folder, comment="x" * (1 << 20))
    assert "bytes" in refusal(folder)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deep_nesting_is_refused(make: Make, opening: str) -> None:
    folder = make()
    (folder / "config.json").write_text(opening * 100_000)
    assert "nested more than" in refusal(folder)


@pytest.mark.parametrize("content", ["{", "null", "[]", '{"a": 1} trailing', "\udc80", "1" * 5000])
def test_a_config_that_is_no_json_object_is_refused(make: Make, content: str) -> None:
    folder = make()
    (folder / "config.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert "config.json" in refusal(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_hidden_layers", 100_000),
        ("num_hidden_layers", 0),
        ("num_hidden_layers", -1),
        ("num_hidden_layers", "2"),
        ("num_hidden_layers", 2.0),
        ("num_hidden_layers", True),
        ("hidden_size", 10**9),
        ("hidden_size", 9),
        ("intermediate_size", 10**12),
        ("num_attention_heads", 10**6),
        ("vocab_size", 10**10),
        ("max_position_embeddings", 10**9),
        ("type_vocab_size", 10**9),
        ("hidden_size", float("nan")),
    ],
)
def test_sizes_out_of_proportion_are_refused(make: Make, edit_config: Edit, key: str, value: object) -> None:
    folder = make()
    edit_config(folder, **{key: value})
    message = refusal(folder)
    assert key in message or str(value) in message.lower()


@pytest.mark.parametrize("key", ["model_type", "architectures", "vocab_size", "num_hidden_layers"])
def test_a_config_without_an_essential_key_is_refused(make: Make, edit_config: Edit, key: str) -> None:
    folder = make()
    edit_config(folder, **{key: None})
    assert key.rstrip("s") in refusal(folder)


def test_labels_beyond_reason_are_refused(make: Make, edit_config: Edit) -> None:
    folder = make("classifier")
    edit_config(folder, id2label=None, label2id=None, num_labels=10**9)
    assert "num_labels" in refusal(folder)


def test_labels_with_a_gap_are_refused(make: Make, edit_config: Edit) -> None:
    folder = make("classifier")
    edit_config(folder, id2label={"0": "no", "2": "yes"})
    assert "id2label" in refusal(folder)


def test_a_model_beyond_the_memory_is_refused_before_it_is_read(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 1000})())
    assert "memory" in refusal(make())


# Architectures


@pytest.mark.parametrize(
    ("model_type", "architecture", "named"),
    [
        ("mpnet", "MPNetModel", "its own way"),
        ("bert", "BertForQuestionAnswering", "BertForQuestionAnswering"),
        ("gpt2", "GPT2DoubleHeadsModel", "GPT2DoubleHeadsModel"),
        ("vit", "ViTForImageClassification", "ViTForImageClassification"),
    ],
)
def test_a_model_that_cannot_be_shown_is_named(
    make: Make, edit_config: Edit, model_type: str, architecture: str, named: str
) -> None:
    folder = make()
    edit_config(folder, model_type=model_type, architectures=[architecture])
    assert named in refusal(folder, UnsupportedModelError)


def test_a_translator_is_refused(make: Make, edit_config: Edit) -> None:
    folder = make()
    edit_config(folder, model_type="t5", architectures=["T5Model"], is_encoder_decoder=True)
    assert "single stacks" in refusal(folder, UnsupportedModelError)


def test_independent_labels_are_refused_rather_than_shown_as_a_distribution(make: Make) -> None:
    folder = make("classifier", problem_type="multi_label_classification")
    assert "multi-label" in refusal(folder, UnsupportedModelError)


@pytest.mark.parametrize("architectures", ["BertModel", [], [3], ["../x"]])
def test_an_architecture_that_is_no_class_name_is_refused(make: Make, edit_config: Edit, architectures: object) -> None:
    folder = make()
    edit_config(folder, architectures=architectures)
    assert "architecture" in refusal(folder)


# Checksums, and tensors from elsewhere


def test_a_flipped_bit_is_found_by_the_recorded_checksum(make: Make, edit_config: Edit) -> None:
    folder = make()
    edit_config(folder, "compecon.json", schema=1, sha256={WEIGHTS: "0" * 64})
    assert "was changed" in refusal(folder)


def test_only_bundled_checkpoints_take_tensors_from_other_files(make: Make, edit_config: Edit) -> None:
    folder = make()
    shared = {"x": {"file": "../shared/e.safetensors", "tensor": "x", "sha256": "0" * 64}}
    edit_config(folder, "compecon.json", schema=1, shared=shared)
    assert "only bundled checkpoints" in refusal(folder)


@pytest.mark.parametrize(
    "record",
    [
        {"schema": 2},
        {"schema": 1, "sha256": {"../x": "0" * 64}},
        {"schema": 1, "sha256": {WEIGHTS: "short"}},
        {"schema": 1, "sha256": ["x"]},
    ],
)
def test_a_malformed_record_is_refused(make: Make, edit_config: Edit, record: dict[str, Any]) -> None:
    folder = make()
    edit_config(folder, "compecon.json", **record)
    assert "compecon.json" in refusal(folder)


def test_a_hub_cache_folder_may_link_to_its_blobs_and_nowhere_else(make: Make, tmp_path: Path) -> None:
    repository = tmp_path / "models--owner--name"
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.parent.mkdir(parents=True)
    (repository / "blobs").mkdir()
    shutil.move(make(), snapshot)
    for number, file in enumerate(sorted(snapshot.iterdir())):
        shutil.move(file, repository / "blobs" / str(number))
        file.symlink_to(Path("../../blobs") / str(number))
    assert load_checkpoint(snapshot).name == "owner/name"
    shutil.move(repository / "blobs", tmp_path / "elsewhere")
    (repository / "blobs").symlink_to(tmp_path / "elsewhere")
    assert "leads out" in refusal(snapshot)


def test_extra_files_such_as_scripts_are_never_opened(make: Make) -> None:
    folder = make()
    (folder / "setup.py").write_text("raise SystemExit")
    (folder / "chat_template.jinja").write_text("{% for a in range(10**10) %}{% endfor %}")
    checkpoint = load_checkpoint(folder)
    assert checkpoint.tokenizer.chat_template is None


def test_weights_exchanged_after_the_gate_are_refused(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, other = make(), make("encoder", "other", num_hidden_layers=1)

    def survey_then_exchange(*args: Any, **kwargs: Any) -> Survey:
        found = survey(*args, **kwargs)
        shutil.copy(other / WEIGHTS, folder / WEIGHTS)
        return found

    monkeypatch.setattr("compecon.checkpoints.load.survey", survey_then_exchange)
    with pytest.raises(CheckpointError, match="changed while"):
        load_checkpoint(folder)
