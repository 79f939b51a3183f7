"""Saving a model, compacted or not, or a bundled checkpoint as a folder that stands alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from compecon.checkpoints.bundle import add_entries, add_file, save_weights
from compecon.checkpoints.elastic_file import written_prices
from compecon.checkpoints.gate.folder_files import parse_json
from compecon.checkpoints.gate.intake import survey
from compecon.checkpoints.gate.record import RECORD
from compecon.checkpoints.gate.small_files import ELASTIC
from compecon.checkpoints.gate.weight_files import SINGLE
from compecon.checkpoints.locate import locate
from compecon.checkpoints.tensors import read_tensors
from compecon.compression.elastic.price_list import PriceList
from compecon.errors import CheckpointError
from compecon.files.safe_reader import MEGABYTE, sha256_of

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def save_checkpoint(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    folder: str | Path,
    *,
    record: Mapping[str, Any] = _NOTHING,
    prices: PriceList | None = None,
    dtype: torch.dtype = torch.float32,
) -> Path:
    """Save a model with its tokenizer, as a whole or not at all.

    Plain transformers opens the folder too; for a compacted model, after `import compecon.compression.architectures`.

    Args:
        model: The model; it is left alone.
        tokenizer: Its tokenizer; saved without the length limit that tokenizing a batch leaves behind.
        folder: Where to write; must not exist, or be empty.
        record: What the checkpoint says about itself in `compecon.json`: "title", "task", "limits", "metrics" (some
            `ReportedMetric`) and "training", an object of whatever tells how the model came about, such as recipe,
            target, price, seed and parent. JSON values, or dataclasses of them.
        prices: Order of the units of an elastic model; None for a model of a single size.
        dtype: What the weights are rounded to on disk.

    Returns:
        The folder.

    Raises:
        CheckpointError: If the folder has content.
        ValueError: If the record has another entry, or a number that is not finite.
        TypeError: If the record is neither JSON nor made of dataclasses.

    Example:
        >>> from compecon import load_checkpoint
        >>> checkpoint = load_checkpoint("sentiment", device="cpu")
        >>> with TemporaryDirectory() as scratch:
        ...     folder = save_checkpoint(checkpoint.model, checkpoint.tokenizer, Path(scratch) / "mine")
        ...     sorted(path.name for path in folder.iterdir())[:3]
        ['compecon.json', 'config.json', 'model.safetensors']
    """
    target = Path(folder).expanduser()
    require_empty(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        part = Path(scratch) / target.name
        save_weights(model, tokenizer, part, dtype=dtype)
        if prices is not None:
            add_file(part, ELASTIC, written_prices(prices))
        add_entries(part, record)
        if target.exists():
            target.rmdir()  # refuses if something was written there meanwhile
        part.rename(target)
    return target


def require_empty(folder: Path) -> None:
    """Make sure that a folder can be written without losing anything."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CheckpointError(f"{folder} has content already. Choose a new folder.")


def materialise(source: str | Path, folder: str | Path) -> Path:
    """Copy a checkpoint into a folder that plain transformers opens, with all its tensors in one file.

    Bundled checkpoints keep the tensors that they share in one file; this puts them back.

    Args:
        source: As for ``load_checkpoint``, usually a bundled name.
        folder: Where to write; must not exist, or be empty.

    Returns:
        The folder.

    Raises:
        CheckpointError: If the checkpoint does not pass the gate, or the folder has content.
    """
    target = Path(folder).expanduser()
    require_empty(target)
    location = locate(source)
    found = survey(location.path, trusted_root=location.trusted_root)
    tensors, _ = read_tensors(found)
    target.mkdir(parents=True, exist_ok=True)
    for name in (*found.small_files, "README.md"):
        if found.root.has(name):
            (target / name).write_bytes(found.root.read(name, 64 * MEGABYTE))
    save_file(tensors, target / SINGLE, metadata={"format": "pt"})
    if found.root.has(RECORD):
        _write_record(parse_json(found.root.read(RECORD, MEGABYTE), RECORD), target)
    return target


def _write_record(content: dict[str, object], target: Path) -> None:
    """The record without what no longer holds: nothing is shared, and the weights file is another."""
    with (target / SINGLE).open("rb") as stream:
        digest = sha256_of(stream)
    kept = {key: value for key, value in content.items() if key != "shared"}
    (target / RECORD).write_text(json.dumps(kept | {"sha256": {SINGLE: digest}}, indent=2) + "\n", encoding="utf-8")
