"""The gate: a folder is judged from its config and its weights' headers before anything in it acts.

Loading a checkpoint can run code, follow links, fetch kernels or fill the memory, depending on a few words in JSON
files. Nothing here imports torch or transformers; whatever passes is described by a :class:`Preflight`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from compecon.checkpoints.gate.folder_files import Root, open_regular, open_root
from compecon.checkpoints.gate.preflight import Preflight, describe
from compecon.checkpoints.gate.record import Record, check_recorded, combined, read_record
from compecon.checkpoints.gate.removed_heads import with_compact_shape
from compecon.checkpoints.gate.small_files import ELASTIC, read_config, small_file_digests
from compecon.checkpoints.gate.weight_files import WeightFile, list_weights
from compecon.errors import CheckpointError
from compecon.files.safe_reader import sha256_of


@dataclass(frozen=True)
class Survey:
    """Everything that loading needs to know about a folder that passed the gate."""

    root: Root  # the folder
    config: Mapping[str, Any]  # content of ``config.json``
    record: Record  # content of ``compecon.json``
    # files that hold its weights; the last ones may be shared with other bundled checkpoints
    weights: tuple[WeightFile, ...]
    small_files: Mapping[str, str]  # name to content digest of the config and the tokenizer's files
    preflight: Preflight  # the same for people; without the digest of the weights


def inspect_checkpoint(path: str | Path, *, trusted_root: Path | None = None) -> Preflight:
    """Judge a folder without loading it. Reads its weights once, for the digest.

    Args:
        path: Folder with ``config.json``, safetensors weights and a tokenizer.
        trusted_root: Folder of our own whose checkpoints may share tensors; for the bundled ones only.

    Raises:
        CheckpointError: If it is missing, damaged, unsafe or too large for this machine; one sentence says what to do.
        UnsupportedModelError: If compecon cannot show its attention or its output.
    """
    found = survey(path, trusted_root=trusted_root)
    digests = dict(found.small_files)
    for file in found.weights:
        with open_regular(file.path) as stream:
            digests[file.name] = sha256_of(stream)
        check_recorded(file.name, digests[file.name], file.sha256)
    return replace(found.preflight, digest=combined(digests))


def survey(path: str | Path, *, trusted_root: Path | None = None) -> Survey:
    """As :func:`inspect_checkpoint`, in milliseconds: reads headers and small files, takes no digest of weights."""
    root = open_root(path, trusted_root)
    if root.has("adapter_config.json"):
        raise CheckpointError(
            f"{root.folder.name} is an adapter, which would load another model by name. Merge it into its base model "
            "(merge_and_unload) and save that."
        )
    small_files = small_file_digests(root)
    config = with_compact_shape(read_config(root))
    record = read_record(root, trusted=trusted_root is not None)
    weights = list_weights(root, record)
    _check_names(weights)
    if ELASTIC in record.sha256 and ELASTIC not in small_files:
        raise CheckpointError(f"{ELASTIC} is missing from {root.folder.name}. Copy the whole checkpoint again.")
    for name, digest in small_files.items():
        check_recorded(name, digest, record.sha256.get(name))
    return Survey(root, config, record, weights, small_files, describe(root, config, weights))


def _check_names(files: tuple[WeightFile, ...]) -> None:
    repeated = [name for name, n in Counter(name for file in files for name in file.wanted).items() if n > 1]
    if repeated:
        raise CheckpointError(f"The tensor {repeated[0]!r} is stored twice. Save the checkpoint again.")
