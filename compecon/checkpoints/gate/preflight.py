"""What is known of a checkpoint before it is loaded, as plain data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from compecon.attention.routing import is_routed
from compecon.checkpoints.gate.config_check import BUFFERS, WHOLE, read_kept, read_sizes
from compecon.checkpoints.gate.folder_files import Root
from compecon.checkpoints.gate.kinds import (
    Kind,
    abilities_of,
    architecture_of,
    has_several_stacks,
    kind_of,
    labels_of,
    limits_of,
)
from compecon.checkpoints.gate.safetensors_header import FLOATING
from compecon.checkpoints.gate.small_files import ELASTIC, licence_of
from compecon.checkpoints.gate.weight_files import WeightFile
from compecon.compression.shape import COMPACT
from compecon.errors import CheckpointError, UnsupportedModelError


@dataclass(frozen=True)
class Preflight:
    """What is known of a checkpoint that passed the gate. ``json.dumps(dataclasses.asdict(...))`` works on it.

    Attributes:
        name: Folder name, or the Hub id of a folder in the Hub cache.
        path: Folder.
        architecture: Model class in transformers, such as ``"BertForSequenceClassification"``.
        model_type: Family, such as ``"bert"``, or ``"compact-bert"`` for a compacted model.
        kind: What it predicts.
        labels: Class names in the order of the logits; empty unless the kind is classification or regression.
        layers: Transformer layers.
        heads: Attention heads a layer; of a compacted model, before any was removed.
        hidden_size: Width of the residual stream.
        vocabulary: Number of different tokens.
        parameters: Number of stored weights.
        disk_bytes: Size of the weights on disk, without headers.
        memory_bytes: Memory that loading takes at its peak: the stored weights and the float32 model beside them.
        max_positions: Longest text in tokens; ``None`` where the architecture sets no limit.
        dtype: How most weights are stored, such as ``"F16"``.
        licence: As the model card's header states it, if it does.
        digest: First 12 hexadecimal digits of the sha256 of everything that is loaded; empty where it was not computed.
        routed: Whether attention can be observed and budgeted; ``None`` where only loading can tell.
        abilities: What the dashboard can do with it, in plain words.
        limits: What it cannot do, or what to know.
        heads_kept: Heads left in each layer of a compacted model, numbered as before; ``None`` for a dense model.
        elastic: Whether it holds models of several sizes (`Checkpoint.at`).
        several_stacks: Whether it has an encoder, a decoder and attention across, which no page shows.

    Example:
        >>> from compecon import list_checkpoints
        >>> about = next(entry.preflight for entry in list_checkpoints() if entry.name == "sentiment")
        >>> about.kind, about.labels
        ('classification', ('negative', 'positive'))
    """

    name: str
    path: str
    architecture: str
    model_type: str
    kind: Kind
    labels: tuple[str, ...]
    layers: int
    heads: int
    hidden_size: int
    vocabulary: int
    parameters: int
    disk_bytes: int
    memory_bytes: int
    max_positions: int | None
    dtype: str
    licence: str | None
    digest: str
    routed: bool | None
    abilities: tuple[str, ...]
    limits: tuple[str, ...]
    heads_kept: tuple[tuple[int, ...], ...] | None = None
    elastic: bool = False
    several_stacks: bool = False


def describe(root: Root, config: Mapping[str, Any], files: tuple[WeightFile, ...]) -> Preflight:
    """Combine what a checkpoint's config and its weights' headers say; refuse weights that do not fit into memory."""
    architecture, model_type = architecture_of(config), _model_type(config)
    routed = _routed(architecture, model_type)
    kind, sizes = kind_of(architecture, config), read_sizes(config)
    kept = read_kept(config, sizes)
    disk, counts = _counted(files)
    several = has_several_stacks(architecture, config)
    length = (f"texts of at most {sizes.max_positions:,} tokens",) if sizes.max_positions else ()
    return Preflight(
        name=checkpoint_name(root.folder),
        path=str(root.folder),
        architecture=architecture,
        model_type=model_type,
        kind=kind,
        labels=labels_of(config) if kind in ("classification", "regression") else (),
        **vars(sizes),
        parameters=counts.total(),
        disk_bytes=disk,
        memory_bytes=_fitting(disk + 4 * counts.total()),
        dtype=counts.most_common(1)[0][0] if counts else "",
        licence=licence_of(root),
        digest="",
        routed=routed,
        abilities=abilities_of(kind, several_stacks=several),
        limits=(*length, *limits_of(kind, several_stacks=several)),
        heads_kept=None if kept is None else kept.heads,
        elastic=root.has(ELASTIC),
        several_stacks=several,
    )


def _model_type(config: Mapping[str, Any]) -> str:
    model_type = config.get("model_type")
    if not isinstance(model_type, str) or not re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", model_type):
        raise CheckpointError(f"config.json has model_type = {model_type!r}; give a family such as 'bert'.")
    return model_type


def _routed(architecture: str, model_type: str) -> bool | None:
    routed = is_routed(model_type.removeprefix(COMPACT))
    if routed is False:
        raise UnsupportedModelError(
            f"{architecture} ({model_type}) computes attention in its own way, which budgets cannot reach; "
            "use a model built on transformers' attention interface, such as BERT, GPT-2 or Llama."
        )
    return routed


def _counted(files: tuple[WeightFile, ...]) -> tuple[int, Counter[str]]:
    """Bytes on disk, and weights of each dtype; integers are refused, which loading would silently convert."""
    disk, counts = 0, Counter[str]()
    for name, tensor in (item for file in files for item in file.held().items()):
        disk += tensor.end - tensor.start
        if tensor.dtype not in FLOATING and not WHOLE.search(name):
            raise CheckpointError(
                f"The weights {name!r} are stored as {tensor.dtype}, integers where floating point is expected. "
                "Save them in float32, float16 or bfloat16."
            )
        if tensor.dtype in FLOATING and not BUFFERS.search(name):
            counts[tensor.dtype] += tensor.count
    return disk, counts


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
