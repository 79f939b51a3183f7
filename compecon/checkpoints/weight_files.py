"""Which files hold the weights of a checkpoint, and which tensors lie in them; nothing is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compecon.checkpoints.files import MEGABYTE, Root, contained, is_plain_name, open_regular, parse_json
from compecon.checkpoints.headers import StoredTensor, read_header
from compecon.checkpoints.record import SharedTensor
from compecon.errors import CheckpointError

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
_INDEX_LIMIT = 32 * MEGABYTE
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_FOREIGN = (".gguf", ".ggml", ".onnx", ".h5", ".msgpack", ".npz", ".tflite", ".mlmodel")


@dataclass(frozen=True)
class WeightFile:
    """A safetensors file and the tensors in it that belong to the checkpoint.

    Attributes:
        name: As the folder names it.
        path: Where it really lies.
        tensors: In the order of the file.
        size: In bytes.
    """

    name: str
    path: Path
    tensors: tuple[StoredTensor, ...]
    size: int


def list_weights(root: Root) -> tuple[WeightFile, ...]:
    """Find and check the weight files of a folder.

    Raises:
        CheckpointError: If there are none, only pickled ones, or if one is damaged or lies elsewhere.
    """
    if root.has(SINGLE):
        return (_weight_file(root, SINGLE),)
    if root.has(INDEX):
        return _shards(root)
    raise CheckpointError(_why_no_weights(root))


def _weight_file(root: Root, name: str) -> WeightFile:
    path = root.locate(name)
    with open_regular(path) as stream:
        tensors = read_header(stream, name)
    return WeightFile(name, path, tensors, path.stat().st_size)


def _shards(root: Root) -> tuple[WeightFile, ...]:
    """The files that an index lists; its entries are data from outside, so each must be a plain name in the folder."""
    weight_map = parse_json(root.read(INDEX, _INDEX_LIMIT), INDEX).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointError(f"{INDEX} has no weight_map. Download or save the checkpoint again.")
    for name in dict.fromkeys(map(str, weight_map.values())):
        if not is_plain_name(name) or not name.endswith(".safetensors"):
            raise CheckpointError(
                f"{INDEX} points at {name!r}; a shard must be a .safetensors file of the same folder."
            )
    files = tuple(_weight_file(root, name) for name in sorted(set(weight_map.values())))
    held = {(tensor.name, file.name) for file in files for tensor in file.tensors}
    if held != set(weight_map.items()):
        name, file = min(held ^ set(weight_map.items()))
        raise CheckpointError(f"{INDEX} and the shards disagree about {name!r} in {file}. Download them again.")
    return files


def _why_no_weights(root: Root) -> str:
    names = root.names()
    pickles = [name for name in names if name.lower().endswith(_PICKLES)]
    if pickles:
        return (
            f"The only weights are pickled ({pickles[0]}), and opening a pickle can run any program. Where you trust "
            "them, convert once: AutoModel.from_pretrained(folder).save_pretrained(folder) writes model.safetensors."
        )
    others = [name for name in names if name.lower().endswith((*_FOREIGN, ".safetensors"))]
    if others:
        return f"There is {others[0]} but no {SINGLE}. Use the checkpoint in transformers' own format."
    return f"{root.folder} has no weights: no {SINGLE} and no {INDEX}. Give a folder written by save_pretrained."


def list_shared(root: Root, trusted_root: Path, shared: Mapping[str, SharedTensor]) -> tuple[WeightFile, ...]:
    """The files in which bundled checkpoints keep common tensors, each with only the tensors wanted here.

    Args:
        root: The checkpoint's folder, inside ``trusted_root``.
        trusted_root: The folder of the bundled checkpoints.
        shared: Tensor name in the model to where it is stored.

    Returns:
        Tensors carry the name that they have in the model, not in the shared file.

    Raises:
        CheckpointError: If a tensor is not there.
    """
    return tuple(
        _shared_file(root, trusted_root, file, {name: s for name, s in shared.items() if s.file == file})
        for file in dict.fromkeys(entry.file for entry in shared.values())
    )


def _shared_file(root: Root, trusted_root: Path, file: str, wanted: Mapping[str, SharedTensor]) -> WeightFile:
    path = contained(root.folder / file, (trusted_root.resolve(),))
    with open_regular(path) as stream:
        held = {tensor.name: tensor for tensor in read_header(stream, file)}
    absent = [entry.tensor for entry in wanted.values() if entry.tensor not in held]
    if absent:
        raise CheckpointError(f"{file} does not hold the shared tensor {absent[0]!r}. Install compecon again.")
    tensors = sorted((_renamed(held[entry.tensor], name) for name, entry in wanted.items()), key=lambda t: t.start)
    return WeightFile(file, path, tuple(tensors), sum(tensor.end - tensor.start for tensor in tensors))


def _renamed(tensor: StoredTensor, name: str) -> StoredTensor:
    return StoredTensor(name, tensor.dtype, tensor.shape, tensor.start, tensor.end)
