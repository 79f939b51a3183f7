"""Saving a model, compacted or not, as a checkpoint of its own that `load_checkpoint` opens."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from compecon.checkpoints.bundle import add_entries, save_weights
from compecon.errors import CheckpointError

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def save_checkpoint(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    folder: str | Path,
    *,
    record: Mapping[str, Any] = _NOTHING,
    dtype: torch.dtype = torch.float32,
) -> Path:
    """Save a model with its tokenizer, as a whole or not at all.

    Plain transformers opens the folder too; for a compacted model, after `import compecon.compression.architectures`.

    Args:
        model: The model; it is left alone.
        tokenizer: Its tokenizer; saved without the length limit that tokenizing a batch leaves behind.
        folder: Where to write; must not exist, or be empty.
        record: What the checkpoint says about itself in `compecon.json`: "title", "task", "metrics" (a sequence of
            `ReportedMetric`) and "training", an object of whatever tells how it came about, such as recipe, target,
            price, seed and parent. JSON values, or dataclasses of them.
        dtype: What the weights are rounded to on disk.

    Returns:
        The folder.

    Raises:
        CheckpointError: If the folder has content.
        ValueError: If the record has another entry, or a number that is not finite.
        TypeError: If the record is neither JSON nor made of dataclasses.
    """
    target = Path(folder).expanduser()
    require_empty(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        part = Path(scratch) / target.name
        save_weights(model, tokenizer, part, dtype=dtype)
        add_entries(part, record)
        if target.exists():
            target.rmdir()  # refuses if something was written there meanwhile
        part.rename(target)
    return target


def require_empty(folder: Path) -> None:
    """Make sure that a folder can be written without losing anything.

    Raises:
        CheckpointError: If it has content, or is a file.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CheckpointError(f"{folder} has content already. Give a new folder.")
