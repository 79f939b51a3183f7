"""The gate: a folder is judged from its config and its weights' headers before anything in it acts.

Loading a checkpoint can run code, follow links, fetch kernels or fill the memory, depending on a few words in JSON
files. Nothing here imports torch or transformers; whatever passes is described by a :class:`Preflight`.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from compecon.attention.routing import is_routed
from compecon.checkpoints.config import BUFFERS, Sizes, check_code, check_config, read_sizes
from compecon.checkpoints.digest import check_recorded, combined, sha256_of
from compecon.checkpoints.files import MEGABYTE, Root, open_regular, open_root, parse_json
from compecon.checkpoints.headers import FLOATING
from compecon.checkpoints.kinds import Kind, abilities_of, architecture_of, kind_of, labels_of, limits_of
from compecon.checkpoints.preflight import Preflight
from compecon.checkpoints.record import Record, read_record
from compecon.checkpoints.weight_files import WeightFile, list_weights
from compecon.errors import CheckpointError, UnsupportedModelError

TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "vocab.txt", "merges.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model",
)  # fmt: skip
_VOCABULARIES = frozenset(TOKENIZER_FILES) - {"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}
_TOKENIZER_LIMIT = 64 * MEGABYTE
_CARD_LIMIT = 4 * MEGABYTE
_LICENCE = re.compile(rb"^license:[ \t]*[\"']?([A-Za-z0-9.+-]{1,60})", re.MULTILINE)


@dataclass(frozen=True)
class Survey:
    """Everything that loading needs to know about a folder that passed the gate.

    Attributes:
        root: The folder.
        config: Content of ``config.json``.
        record: Content of ``compecon.json``.
        weights: Files that hold its weights; the last ones may be shared with other bundled checkpoints.
        small_files: Name to content digest of the config and the tokenizer's files.
        preflight: The same for people; without the digest of the weights.
    """

    root: Root
    config: Mapping[str, Any]
    record: Record
    weights: tuple[WeightFile, ...]
    small_files: Mapping[str, str]
    preflight: Preflight


def inspect_checkpoint(path: str | Path, *, trusted_root: Path | None = None) -> Preflight:
    """Judge a folder without loading it. Reads its weights once, for the digest.

    Args:
        path: Folder with ``config.json``, safetensors weights and a tokenizer.
        trusted_root: Folder of our own whose checkpoints may share tensors; for the bundled ones only.

    Returns:
        What the checkpoint is and what can be done with it.

    Raises:
        CheckpointError: If it is missing, damaged, unsafe or too large for this machine; one sentence says what to do.
        UnsupportedModelError: If its attention or its output is none that compecon can show.
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
    config_text = _read_config(root)
    config = parse_json(config_text, "config.json")
    check_config(config)
    record = read_record(root, trusted=trusted_root is not None)
    weights = list_weights(root, record)
    _check_names(weights)
    small_files = {"config.json": _sha256(config_text), **_tokenizer_files(root)}
    for name, digest in small_files.items():
        check_recorded(name, digest, record.sha256.get(name))
    return Survey(root, config, record, weights, small_files, _preflight(root, config, weights))


def _read_config(root: Root) -> bytes:
    if not root.has("config.json"):
        raise CheckpointError(f"{root.folder} has no config.json. Give a folder written by save_pretrained.")
    return read_small_file(root, "config.json")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _check_names(files: tuple[WeightFile, ...]) -> None:
    repeated = [name for name, n in Counter(name for file in files for name in file.wanted).items() if n > 1]
    if repeated:
        raise CheckpointError(f"The tensor {repeated[0]!r} is stored twice. Save the checkpoint again.")


def read_small_file(root: Root, name: str) -> bytes:
    """Content of ``config.json`` or of one of a tokenizer's files, up to the size accepted for it."""
    return root.read(name, MEGABYTE if name == "config.json" else _TOKENIZER_LIMIT)


def _tokenizer_files(root: Root) -> dict[str, str]:
    digests = {name: _sha256(read_small_file(root, name)) for name in TOKENIZER_FILES if root.has(name)}
    if not _VOCABULARIES & digests.keys():
        raise CheckpointError(
            f"{root.folder.name} has no tokenizer (no tokenizer.json). Add it: tokenizer.save_pretrained(folder)."
        )
    settings = "tokenizer_config.json"
    if settings in digests:
        check_code(parse_json(read_small_file(root, settings), settings), settings)
    return digests


def _preflight(root: Root, config: Mapping[str, Any], files: tuple[WeightFile, ...]) -> Preflight:
    architecture, model_type = architecture_of(config), config.get("model_type")
    if not isinstance(model_type, str) or not re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", model_type):
        raise CheckpointError(f"config.json has model_type = {model_type!r}; give a family such as 'bert'.")
    routed = is_routed(model_type)
    if routed is False:
        raise UnsupportedModelError(
            f"{architecture} ({model_type}) computes attention in its own way, out of reach of budgets; "
            "use a model built on transformers' attention interface, such as BERT, GPT-2 or Llama."
        )
    kind = kind_of(architecture, config)
    sizes = read_sizes(config)
    counts = Counter[str]()
    disk = 0
    for name, tensor in (item for file in files for item in file.held().items()):
        disk += tensor.end - tensor.start
        if tensor.dtype in FLOATING and not BUFFERS.search(name):
            counts[tensor.dtype] += tensor.count
    return Preflight(
        name=checkpoint_name(root.folder),
        path=str(root.folder),
        architecture=architecture,
        model_type=model_type,
        kind=kind,
        labels=labels_of(config) if kind in ("classification", "regression") else (),
        layers=sizes.layers,
        heads=sizes.heads,
        hidden_size=sizes.hidden_size,
        vocabulary=sizes.vocabulary,
        parameters=counts.total(),
        disk_bytes=disk,
        memory_bytes=_fitting(disk + 4 * counts.total()),
        max_positions=sizes.max_positions,
        dtype=counts.most_common(1)[0][0] if counts else "",
        licence=_licence(root),
        digest="",
        routed=routed,
        abilities=abilities_of(kind),
        limits=_limits(kind, sizes),
    )


def checkpoint_name(folder: Path) -> str:
    """What to call a checkpoint: its Hub id in the Hub cache, elsewhere the name of its folder."""
    repository = folder.parent.parent.name
    if folder.parent.name == "snapshots" and repository.startswith("models--"):
        return repository.removeprefix("models--").replace("--", "/", 1)
    return folder.name


def _fitting(needed: int) -> int:
    available = psutil.virtual_memory().available
    if needed > available:
        raise CheckpointError(
            f"Loading needs about {needed / 1e9:.1f} GB of memory and {available / 1e9:.1f} GB are free. "
            "Close other programs or use a smaller checkpoint."
        )
    return needed


def _limits(kind: Kind, sizes: Sizes) -> tuple[str, ...]:
    length = (f"texts of at most {sizes.max_positions:,} tokens",) if sizes.max_positions else ()
    return (*length, *limits_of(kind))


def _licence(root: Root) -> str | None:
    """The ``license`` of the card's YAML header; a card that cannot be read says nothing."""
    if not root.has("README.md"):
        return None
    try:
        card = root.read("README.md", _CARD_LIMIT)
    except CheckpointError:
        return None
    if not card.startswith(b"---"):
        return None
    found = _LICENCE.search(card.split(b"\n---", 1)[0])
    return found[1].decode("ascii") if found else None
