"""Which files hold the weights of a checkpoint, and which tensors lie in them; nothing is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from compecon.checkpoints.gate.folder_files import Root, contained, is_plain_name, parse_json
from compecon.checkpoints.gate.record import Record
from compecon.checkpoints.gate.remembered import remembered
from compecon.checkpoints.gate.safetensors_header import StoredTensor, read_header
from compecon.errors import CheckpointError
from compecon.files.safe_reader import MEGABYTE, read_stream

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
_INDEX_LIMIT = 8 * MEGABYTE
_MOST_SHARDS = 512  # the largest models published have fewer than 200
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_FOREIGN = (".gguf", ".ggml", ".onnx", ".h5", ".msgpack", ".npz", ".tflite", ".mlmodel")


@dataclass(frozen=True)
class WeightFile:
    """A safetensors file and the tensors in it that belong to the checkpoint."""

    name: str  # as the folder names it
    path: Path  # where it really lies
    tensors: tuple[StoredTensor, ...]  # all tensors in it, in their order
    wanted: Mapping[str, str]  # name in the model to name in the file; a file shared by several checkpoints holds more
    sha256: str | None  # digest that ``compecon.json`` records for the file, if any

    def held(self) -> dict[str, StoredTensor]:
        """The wanted tensors by their name in the model."""
        by_name = {tensor.name: tensor for tensor in self.tensors}
        return {name: by_name[stored] for name, stored in self.wanted.items()}


def list_weights(root: Root, record: Record) -> tuple[WeightFile, ...]:
    """Find and check the weight files of a folder; tensors may be shared as its ``compecon.json`` says.

    Raises:
        CheckpointError: If there are none, only pickled ones, or if one is damaged or lies elsewhere.
    """
    if root.has(SINGLE):
        own: tuple[WeightFile, ...] = (_own_file(root, SINGLE, record),)
    elif root.has(INDEX):
        own = _shards(root, record)
    else:
        raise CheckpointError(_why_no_weights(root))
    shared = dict.fromkeys(entry.file for entry in record.shared.values())
    return (*own, *(_shared_file(root, file, record) for file in shared))


def _own_file(root: Root, name: str, record: Record) -> WeightFile:
    path = root.locate(name)
    tensors = _tensors(path, name)
    return WeightFile(name, path, tensors, {tensor.name: tensor.name for tensor in tensors}, record.sha256.get(name))


def _shared_file(root: Root, file: str, record: Record) -> WeightFile:
    path = contained(root.folder / file, root.targets)
    tensors = _tensors(path, file)
    entries = {name: entry for name, entry in record.shared.items() if entry.file == file}
    absent = {entry.tensor for entry in entries.values()} - {tensor.name for tensor in tensors}
    if absent:
        raise CheckpointError(f"{file} does not hold the shared tensor {min(absent)!r}. Install compecon again.")
    wanted = {name: entry.tensor for name, entry in entries.items()}
    return WeightFile(file, path, tensors, wanted, min(entry.sha256 for entry in entries.values()))


def _shards(root: Root, record: Record) -> tuple[WeightFile, ...]:
    """The files that an index lists; its entries are data from outside, so each must be a plain name in the folder."""
    weight_map = _weight_map(root.locate(INDEX), INDEX)
    files: list[WeightFile] = []
    for name in sorted(set(weight_map.values())):
        files.append(_own_file(root, name, record))
        if sum(len(file.tensors) for file in files) > len(weight_map):
            break  # they disagree, as said below; the rest need not be read
    held = {(tensor.name, file.name) for file in files for tensor in file.tensors}
    if held != set(weight_map.items()):
        name, file = min(held ^ set(weight_map.items()))
        raise CheckpointError(f"{INDEX} and the shards disagree about {name!r} in {file}. Download them again.")
    return tuple(files)


_tensors = remembered(read_header)


@remembered
def _weight_map(stream: BinaryIO, file: str) -> Mapping[str, str]:
    content = parse_json(read_stream(stream, _INDEX_LIMIT, file, error=CheckpointError), file)
    weight_map = content.get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointError(f"{file} has no weight_map. Download or save the checkpoint again.")
    names = dict.fromkeys(map(str, weight_map.values()))
    for name in names:
        if not is_plain_name(name) or not name.endswith(".safetensors"):
            raise CheckpointError(f"{file} points at {name!r}; a shard must be a .safetensors file of the same folder.")
    if len(names) > _MOST_SHARDS:
        raise CheckpointError(f"{file} lists {len(names):,} files, more than the {_MOST_SHARDS} accepted.")
    return weight_map


def _why_no_weights(root: Root) -> str:
    names = root.names()
    pickles = [name for name in names if name.lower().endswith(_PICKLES)]
    if pickles:
        return (
            f"The only weights are pickled ({pickles[0]}), and opening a pickle can run any program. If you trust "
            "them, convert them once, to model.safetensors: AutoModel.from_pretrained(folder).save_pretrained(folder)."
        )
    others = [name for name in names if name.lower().endswith((*_FOREIGN, ".safetensors"))]
    if others:
        return f"There is {others[0]} but no {SINGLE}. Use the checkpoint in transformers' own format."
    return f"{root.folder} has no weights: no {SINGLE} and no {INDEX}. Give a folder written by save_pretrained."
