"""Weights that are damaged, lie about themselves, or do not belong to their config."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save, save_file

from compecon.checkpoints.gate.intake import inspect_checkpoint
from compecon.checkpoints.gate.safetensors_header import read_header
from compecon.checkpoints.load import load_checkpoint
from compecon.errors import CheckpointError

pytestmark = pytest.mark.usefixtures("untried")
Make = Callable[..., Path]
Edit = Callable[..., None]
Write = Callable[..., None]
Tensors = dict[str, torch.Tensor]
WEIGHTS = "model.safetensors"


def refused_by_the_gate(folder: Path) -> str:
    with pytest.raises(CheckpointError) as refusal:
        inspect_checkpoint(folder)
    return str(refusal.value)


def refused_on_loading(folder: Path) -> str:
    with pytest.raises(CheckpointError) as refusal:
        load_checkpoint(folder)
    assert str(refusal.value).endswith(".")
    return str(refusal.value)


def change(folder: Path, how: Callable[[Tensors], object]) -> None:
    tensors = load_file(folder / WEIGHTS)
    how(tensors)
    save_file(tensors, folder / WEIGHTS)


@pytest.mark.parametrize("kept", [0, 7, 8, 100, -1])
def test_a_truncated_file_is_refused(make: Make, kept: int) -> None:
    folder = make()
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:kept])
    assert "truncated" in refused_by_the_gate(folder)


def test_bytes_after_the_last_tensor_are_refused(make: Make) -> None:
    folder = make()
    with (folder / WEIGHTS).open("ab") as stream:
        stream.write(b"\0")
    assert "no tensor" in refused_by_the_gate(folder)


@pytest.mark.parametrize("announced", [2**40, 2**63, 2**64 - 1])
def test_a_header_longer_than_the_file_is_refused(make: Make, write_safetensors: Write, announced: int) -> None:
    folder = make()
    write_safetensors(folder / WEIGHTS, {}, announced=announced)
    assert f"{announced:,}" in refused_by_the_gate(folder)


def test_a_huge_header_is_refused_without_reading_it(make: Make) -> None:
    folder = make()
    with (folder / WEIGHTS).open("wb") as stream:
        stream.write(struct.pack("<Q", 2**35))
        stream.truncate(2**35 + 8)  # a sparse file: it takes no space
    assert "header" in refused_by_the_gate(folder)


def tensor(shape: object = (2, 2), dtype: object = "F32", offsets: object = (0, 16)) -> dict[str, Any]:
    return {"shape": shape, "dtype": dtype, "data_offsets": offsets}


@pytest.mark.parametrize(
    "header",
    [
        {"a": tensor(shape=(2**20, 2**20))},
        {"a": tensor(shape=(2**62, 4), dtype="F32")},
        {"a": tensor(shape=(-2, -2))},
        {"a": tensor(shape=(2.0, 2))},
        {"a": tensor(shape="22")},
        {"a": tensor(shape=(0, 2**62), offsets=(0, 0))},
        {"a": tensor(shape=(1,) * 100_000 + (4,))},
        {"a": tensor(shape=4)},
        {"a": tensor(dtype="F4")},
        {"a": tensor(dtype=["F32"])},
        {"a": tensor(dtype="F8_E4M3", shape=(16,))},
        {"a": tensor(offsets=(16, 0))},
        {"a": tensor(offsets=(-16, 0))},
        {"a": tensor(offsets=(8, 24))},
        {"a": tensor(offsets=(0, 16, 32))},
        {"a": tensor(offsets=16)},
        {"a": tensor(), "b": tensor()},
        {"a": tensor(shape=(2,), offsets=(0, 8))},
        {"a": {"shape": [2, 2]}},
        {"a": "F32"},
        {"a": None},
        {"__metadata__": {"format": "tf"}, "a": tensor()},
        [],
        b"{",
        b"\xff\xfe",
        b'{"a":' * 100_000,
    ],
)
def test_a_header_that_cannot_be_true_is_refused(make: Make, write_safetensors: Write, header: Any) -> None:
    folder = make()
    write_safetensors(folder / WEIGHTS, header, bytes(16))
    assert WEIGHTS in refused_by_the_gate(folder)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 199), value=st.integers(0, 255))
def test_a_changed_header_byte_is_refused_or_harmless(tmp_path: Path, position: int, value: int) -> None:
    content = bytearray(save({"a": torch.ones(3, 2), "b": torch.ones(4, dtype=torch.float16)}))
    content[position % len(content)] = value
    path = tmp_path / WEIGHTS
    path.write_bytes(content)
    with path.open("rb") as stream:
        try:
            tensors = read_header(stream, WEIGHTS)
        except CheckpointError:
            return
    assert sum(tensor.end - tensor.start for tensor in tensors) <= len(content)


def test_headers_are_read_as_the_safetensors_library_reads_them(make: Make) -> None:
    path = make("gpt2") / WEIGHTS
    with path.open("rb") as stream:
        ours = {tensor.name: tensor.shape for tensor in read_header(stream, WEIGHTS)}
    assert ours == {name: tuple(value.shape) for name, value in load_file(path).items()}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_weight_that_is_not_finite_is_named(make: Make, value: float, dtype: torch.dtype) -> None:
    folder = make()
    name = "encoder.layer.1.output.dense.weight"

    def spoil(tensors: Tensors) -> None:
        tensors |= {key: tensor.to(dtype) for key, tensor in tensors.items()}
        tensors[name][3, 4] = value

    change(folder, spoil)
    assert repr(name) in refused_on_loading(folder)


@pytest.mark.parametrize("name", ["bert.encoder.layer.1.output.dense.weight", "classifier.bias"])
def test_a_missing_weight_is_named_rather_than_made_up(make: Make, name: str) -> None:
    folder = make("classifier")
    change(folder, lambda tensors: tensors.pop(name))
    assert repr(name) in refused_on_loading(folder)


def test_an_untrained_head_is_refused(make: Make, edit_config: Edit) -> None:
    folder = make("encoder")
    edit_config(folder, architectures=["BertForSequenceClassification"])
    message = refused_on_loading(folder)
    assert "classifier" in message
    assert "random" in message


@pytest.mark.parametrize("name", ["extra.weight", "bert.encoder.layer.2.output.dense.weight", "lm_head.weight"])
def test_an_extra_weight_is_named(make: Make, name: str) -> None:
    folder = make("classifier")
    change(folder, lambda tensors: tensors.update({name: torch.zeros(2)}))
    assert repr(name) in refused_on_loading(folder)


def test_fewer_layers_than_stored_are_refused(make: Make, edit_config: Edit) -> None:
    folder = make("gpt2")
    edit_config(folder, n_layer=1)
    assert "transformer.h.1" in refused_on_loading(folder)


@pytest.mark.parametrize("what", ["encoder", "gpt2"])
def test_a_weight_of_another_shape_is_named_with_both_shapes(make: Make, edit_config: Edit, what: str) -> None:
    folder = make(what)
    edit_config(folder, vocab_size=25)
    message = refused_on_loading(folder)
    assert "(25, 8)" in message
    assert f"({load_checkpoint(make(what, 'good')).preflight.vocabulary}, 8)" in message


def test_a_giant_config_is_refused_before_memory_is_taken(make: Make, edit_config: Edit) -> None:
    folder = make("gpt2")
    edit_config(folder, n_layer=20, n_embd=40960, n_head=64)  # 400 billion weights
    assert "describes 4" in refused_on_loading(folder)


def test_giant_positions_are_refused_before_memory_is_taken(make: Make, edit_config: Edit) -> None:
    folder = make("gpt2")
    edit_config(folder, n_positions=10_000_000)
    assert "describes" in refused_on_loading(folder)


def test_a_config_that_transformers_cannot_build_is_a_sentence(make: Make, edit_config: Edit) -> None:
    folder = make()
    edit_config(folder, hidden_act="no_such_function")
    assert "config.json" in refused_on_loading(folder)


def test_a_model_type_unknown_to_transformers_is_a_sentence(make: Make, edit_config: Edit) -> None:
    folder = make()
    edit_config(folder, model_type="from_next_year")
    with pytest.raises(TypeError, match="from_next_year"):
        load_checkpoint(folder)


def test_a_flipped_bit_is_found_when_the_sum_was_recorded(make: Make, edit_config: Edit) -> None:
    folder = make()
    content = bytearray((folder / WEIGHTS).read_bytes())
    edit_config(folder, "compecon.json", schema=1, sha256={WEIGHTS: hashlib.sha256(content).hexdigest()})
    assert load_checkpoint(folder).kind == "encoder"
    content[-100] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    assert "was changed" in refused_on_loading(folder)
    assert "was changed" in refused_by_the_gate(folder)


def test_the_same_tensor_in_two_shards_is_refused(make: Make) -> None:
    folder = make()
    tensors = load_file(folder / WEIGHTS)
    (folder / WEIGHTS).rename(folder / "a.safetensors")
    save_file({"pooler.dense.bias": tensors["pooler.dense.bias"]}, folder / "b.safetensors")
    index = {"weight_map": dict.fromkeys(tensors, "a.safetensors") | {"pooler.dense.bias": "b.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "disagree" in refused_by_the_gate(folder)


def test_the_digest_of_the_gate_is_that_of_loading(make: Make) -> None:
    folder = make()
    assert inspect_checkpoint(folder).digest == load_checkpoint(folder).digest


@pytest.mark.parametrize("name", ["encoder.layer.1.output.dense.weight", "embeddings.LayerNorm.bias"])
def test_whole_numbers_are_no_weights(make: Make, name: str) -> None:
    folder = make()
    sound, unnamed = load_file(folder / WEIGHTS), []
    for dtype in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool):
        save_file({**sound, name: sound[name].to(dtype)}, folder / WEIGHTS)
        refusals = (refused_by_the_gate(folder), refused_on_loading(folder))
        unnamed += [(dtype, refusal) for refusal in refusals if repr(name) not in refusal]
    assert unnamed == []


def test_positions_and_masks_may_be_whole_numbers(make: Make) -> None:
    folder = make()
    change(folder, lambda tensors: tensors.update({"embeddings.position_ids": torch.arange(64)[None]}))
    assert load_checkpoint(folder).kind == "encoder"
    folder = make("gpt2", "masks")
    mask = {"transformer.h.0.attn.bias": torch.ones(1, 1, 4, 4, dtype=torch.uint8)}
    change(folder, lambda tensors: tensors.update(mask))
    assert load_checkpoint(folder).kind == "causal-lm"


@pytest.mark.parametrize(
    "header", [b'{"a":%s,"a":%s}', b'{"a":{"dtype":"F32","dtype":"F32","shape":[4],"data_offsets":[0,16]}}']
)
def test_a_name_twice_in_a_header_is_refused(make: Make, write_safetensors: Write, header: bytes) -> None:
    folder = make()
    entry = b'{"dtype":"F32","shape":[4],"data_offsets":[0,16]}'
    write_safetensors(folder / WEIGHTS, header % (entry, entry) if b"%s" in header else header, bytes(16))
    assert "twice" in refused_by_the_gate(folder)


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json", "tokenizer.json"])
def test_another_encoding_is_named_with_its_file(make: Make, file: str) -> None:
    folder = make()
    text, unnamed = (folder / file).read_text(encoding="utf-8"), []
    for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-32-be"):
        (folder / file).write_bytes(text.encode(encoding))
        message = refused_by_the_gate(folder)
        unnamed += [] if file in message and "UTF-" in message else [(encoding, message)]
    assert unnamed == []
