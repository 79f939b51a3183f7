"""Named heads and neurons taken out of a checkpoint, and proof that nothing else changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.checkpoints.locate import locate
from compecon.checkpoints.save import require_empty, save_checkpoint
from compecon.compression.compact_model import compact, kept_heads
from compecon.compression.families import unit_counts
from compecon.compression.scaled import scaled
from compecon.compression.units import Units
from compecon.flops import forward_macs

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SAMPLE = "A quiet film that says more than it shows."


@dataclass(frozen=True)
class Removal:
    """What to take out."""

    heads: Sequence[tuple[int, int]] = ()  # (layer, head), both from 0; heads by their index in the dense model
    neurons: Mapping[int, Sequence[int]] | None = None  # layer -> indices of FFN neurons, from 0, in the given model


@dataclass(frozen=True)
class Removed:
    """The outcome of a removal."""

    folder: Path  # the new checkpoint
    # Largest between an output of the smaller model and of the given one with the same units switched off: rounding
    difference: float
    macs: int  # of one forward pass over the sample text
    macs_before: int  # those of the given checkpoint
    n_tokens: int  # of the sample text
    units: tuple[tuple[int, int], ...]  # (heads, neurons) left in each layer
    n_bytes: int  # of the new weights on disk
    n_bytes_before: int  # of the given ones


def remove_units(
    source: str | Path, removal: Removal, out: Path, *, text: str = SAMPLE, device: str = "auto"
) -> Removed:
    """Take units out of a checkpoint, dense or compacted, and save what is left; compared on a text.

    Raises:
        CheckpointError: If the source cannot be loaded, or `out` has content.
        UnsupportedModelError: If the model's heads and neurons are not known.
        ValueError: If a unit does not exist, or none is named.
    """
    require_empty(out)
    checkpoint = load_checkpoint(source, device)
    keep = kept_units(checkpoint.model, removal)
    smaller = compact(checkpoint.model, keep)
    batch = checkpoint.encode(text).batch
    n_tokens = batch["input_ids"].shape[1]
    with scaled(checkpoint.model, keep):
        masked = _output(checkpoint.model, batch)
    difference = float((_output(smaller, batch) - masked).abs().max())
    now, before = (forward_macs(model, n_tokens) for model in (smaller, checkpoint.model))
    folder = save_checkpoint(smaller, checkpoint.tokenizer, out, record=_record(checkpoint, removal, now, before))
    sizes = (_size(folder), _size(locate(source).path))
    return Removed(folder, difference, now, before, n_tokens, keep.counts(), *sizes)


def _size(folder: Path) -> int:
    """Bytes of the weights in a checkpoint's folder."""
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def kept_units(model: PreTrainedModel, removal: Removal) -> Units:
    """1 for each unit of a model that stays, 0 for those to remove; ValueError if one does not exist."""
    there, counts = kept_heads(model), unit_counts(model)
    neurons_out = removal.neurons or {}
    if not removal.heads and not any(neurons_out.values()):
        raise ValueError("no head and no neuron is named. Name at least one to remove.")
    for layer in (*(layer for layer, _ in removal.heads), *neurons_out):
        if not 0 <= layer < len(counts):
            raise ValueError(f"there is no layer {layer}; they are numbered from 0 to {len(counts) - 1}.")
    keep = Units.full(unit_counts(model), 1.0)
    for layer, head in removal.heads:
        if head not in there[layer]:
            raise ValueError(f"layer {layer} has no head {head}, only {', '.join(map(str, there[layer])) or 'none'}.")
        keep.heads[layer][there[layer].index(head)] = 0
    for layer, indices in neurons_out.items():
        n_neurons = counts[layer][1]
        if wrong := [index for index in indices if not 0 <= index < n_neurons]:
            raise ValueError(f"layer {layer} has no neuron {wrong[0]}, only 0 to {n_neurons - 1}.")
        keep.neurons[layer][list(indices)] = 0
    return keep


@torch.inference_mode()
def _output(model: PreTrainedModel, batch: Mapping[str, Tensor]) -> Tensor:
    first: Tensor = model(**batch, return_dict=True)[0]
    return first.float()


def _record(checkpoint: Checkpoint, removal: Removal, macs: int, before: int) -> dict[str, Any]:
    counts = {str(layer): len(indices) for layer, indices in (removal.neurons or {}).items()}
    training = {
        "method": "units removed by name",
        "parent": checkpoint.name,
        "parent_digest": checkpoint.digest,
        "heads_removed": [f"{layer}.{head}" for layer, head in removal.heads],
        "neurons_removed": counts,
        "macs": macs,
        "dense_macs": before,
    }
    return {"title": f"{checkpoint.name}, units removed by name", "training": training}
