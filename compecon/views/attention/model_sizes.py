"""What the page says of the sizes of an elastic checkpoint, and the MACs of a text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from compecon.checkpoints.load import Checkpoint
from compecon.compression.elastic.sizes_offered import sizes_offered
from compecon.compression.model_shape import ModelShape
from compecon.compression.shape import CompactShape
from compecon.flops import MacCount, macs

WHOLE = 1.0  # the size of all units


def at_size(checkpoint: Checkpoint, size: float | None) -> Checkpoint:
    """The checkpoint as it is for None and 1, else a size of an elastic one; errors as of `Checkpoint.at`."""
    return checkpoint if size in (None, WHOLE) else checkpoint.at(size)


def size_fields(checkpoint: Checkpoint, size: float | None, n_tokens: int) -> dict[str, Any]:
    """The size that is shown, and each that is offered with its units and the MACs of a text of so many tokens.

    Args:
        checkpoint: The whole one.
        size: What of it is shown; None for the whole.
        n_tokens: Length of the text.

    Returns:
        Entries of the opening message; {} for a checkpoint that has one size.
    """
    if checkpoint.elastic is None:
        return {}
    shape, whole = ModelShape.from_model(checkpoint.model), CompactShape.of(checkpoint.model.config)
    sizes = []
    for each in sizes_offered(checkpoint.elastic.prices):
        kept = whole.first(checkpoint.elastic.counts(each))
        executed = executed_macs(replace(shape, kept=kept), n_tokens).total
        sizes.append({"size": each, "macs": executed, "heads": kept.n_heads, "neurons": kept.n_neurons})
    return {"size": WHOLE if size is None else size, "sizes": sizes}


def executed_macs(shape: ModelShape, n_tokens: int) -> MacCount:
    """MACs of what the page draws: every layer whole, as is recorded, also one that serves a single position."""
    return macs(replace(shape, one_position=False), n_tokens)
