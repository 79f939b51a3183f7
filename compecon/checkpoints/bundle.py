"""Write and read bundled checkpoints: ordinary Hugging Face folders that share one embedding block.

Encoders cut from one pretrained model and trained with frozen embeddings hold the same embeddings, more than a third of
their bytes. They are stored once, in `shared/embeddings.safetensors` beside the folders; each folder's `compecon.json`
says which tensor is read from there. Weights are float16 on disk and float32 in use.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from compecon.checkpoints.tokenizers.tokenizer_files import save_tokenizer
from compecon.errors import CheckpointError
from compecon.files.safe_reader import MEGABYTE, read_json

SCHEMA = 1
MANIFEST = "compecon.json"
WEIGHTS = "model.safetensors"
SHARED = Path("shared") / "embeddings.safetensors"


@dataclass(frozen=True)
class ReportedMetric:
    """A number a checkpoint is shipped with."""

    name: str  # "accuracy", "spearman", "perplexity",
    split: str  # what it was measured on: "test" or a name that says more
    value: float  # the number, measured on the saved weights
    low: float  # lower end of its 95% interval
    high: float  # upper end
    n: int  # rows, or documents, of the split


def save_weights(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    shared_prefix: str = "",
    *,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write config, tokenizer, weights (rounded to `dtype`) and a bare manifest to the folder `<bundle>/<name>`.

    Tensors whose names begin with `shared_prefix`, unless it is empty, go to the bundle's shared file.

    Raises:
        CheckpointError: If the bundle's shared file exists and holds other values, so that its users would break.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tied = set(
        model.all_tied_weights_keys or ()
    )  # safetensors refuses two names of one memory; loading ties them again
    state = {
        name: value.to("cpu", dtype if value.is_floating_point() else value.dtype).contiguous()
        for name, value in model.state_dict().items()
        if name not in tied
    }
    shared = {name: state.pop(name) for name in list(state) if shared_prefix and name.startswith(shared_prefix)}
    config = copy.deepcopy(model.config)
    config.dtype, config.architectures = dtype, [type(model).__name__]
    config.save_pretrained(folder)
    save_tokenizer(tokenizer, folder)
    manifest: dict[str, Any] = {"schema": SCHEMA, "sha256": {WEIGHTS: _write(state, folder / WEIGHTS)}}
    if shared:
        manifest["shared"] = _share(shared, shared_prefix, folder.parent / SHARED)
    _write_manifest(folder, manifest)


def describe(folder: Path, *, title: str, task: str, metrics: Sequence[ReportedMetric], card: str) -> None:
    """Add title, task and metrics to the manifest of a folder from `save_weights`, and write its README.md."""
    add_entries(folder, {"title": title, "task": task, "metrics": metrics})
    (folder / "README.md").write_text(card, encoding="utf-8")


def add_entries(folder: Path, entries: Mapping[str, Any]) -> None:
    """Add entries to the manifest of a folder written by `save_weights`.

    Raises:
        ValueError: If an entry is none that a manifest has, or a number in it is not finite.
        TypeError: If an entry is neither JSON nor a dataclass of it.
    """
    if unknown := sorted(entries.keys() - set(_TOLD)):
        raise ValueError(f"a record has {', '.join(_TOLD)}, got {', '.join(unknown)}. Put it under training.")
    manifest = read_manifest(folder) | dict(entries)
    _write_manifest(folder, {key: manifest[key] for key in _ORDER if key in manifest})


def add_file(folder: Path, name: str, content: bytes) -> None:
    """Write one more file to a folder written by `save_weights`, and its digest into the manifest."""
    (folder / name).write_bytes(content)
    manifest = read_manifest(folder)
    _write_manifest(folder, {**manifest, "sha256": {**manifest["sha256"], name: _sha256(content)}})


def read_manifest(folder: Path) -> dict[str, Any]:
    """The parsed `compecon.json` of a bundled checkpoint; CheckpointError if it is absent, or of another schema."""
    path = folder / MANIFEST
    if not path.is_file():
        raise CheckpointError(f"{folder} is not a bundled checkpoint: it has no {MANIFEST}.")
    manifest: dict[str, Any] = read_json(path, MEGABYTE)
    if manifest.get("schema") != SCHEMA:
        raise CheckpointError(
            f"{path} has schema {manifest.get('schema')!r}, expected {SCHEMA}. Build the bundle again."
        )
    return manifest


_TOLD = ("title", "task", "limits", "metrics", "training")
_ORDER = ("schema", *_TOLD, "sha256", "shared")


def _share(tensors: Mapping[str, Tensor], prefix: str, path: Path) -> dict[str, dict[str, str]]:
    bare = {name.removeprefix(prefix): value for name, value in tensors.items()}
    if path.exists() and _sha256(path.read_bytes()) != _sha256(_bytes(bare)):
        raise CheckpointError(f"{path} holds other embeddings, which other checkpoints use. Choose another folder.")
    digest = _write(bare, path)
    file = (Path("..") / SHARED).as_posix()
    return {name: {"file": file, "tensor": name.removeprefix(prefix), "sha256": digest} for name in sorted(tensors)}


def _bytes(tensors: Mapping[str, Tensor]) -> bytes:
    written: bytes = save({name: tensors[name] for name in sorted(tensors)}, metadata={"format": "pt"})
    return written


def _write(tensors: Mapping[str, Tensor], path: Path) -> str:
    """Write tensors in an order of their own, so that equal tensors are equal files; return the file's hash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = _bytes(tensors)
    path.write_bytes(content)
    return _sha256(content)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    (folder / MANIFEST).write_text(
        json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False, default=asdict) + "\n", encoding="utf-8"
    )
