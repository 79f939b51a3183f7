"""The places of a model's heads in the model before any were removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, final

from compecon.attention.recorded import LayerAttention
from compecon.compression.shape import COMPACT, CompactShape


@final
@dataclass(frozen=True, slots=True)
class HeadGrid:
    """A row for each layer and a column for each head of the dense model; removed heads leave their places empty."""

    kept: tuple[tuple[int, ...], ...]  # by layer: columns that are still there, in the order in the model
    sizes: tuple[int, ...]  # by layer: heads before any were removed

    @classmethod
    def of(cls, config: Any, attention: Sequence[LayerAttention]) -> Self:
        """The grid of a model, from a compacted one's config, or else from its records, one per layer."""
        if str(config.model_type).startswith(COMPACT):
            kept = CompactShape.of(config).heads
            return cls(kept, (config.num_attention_heads,) * len(kept))
        sizes = tuple(layer.weights.shape[1] for layer in attention)
        return cls(tuple(tuple(range(size)) for size in sizes), sizes)

    @property
    def n_columns(self) -> int:
        """Heads of the widest layer."""
        return max(self.sizes)

    def removed(self) -> list[tuple[int, int]]:
        """Layer and head of all that were removed."""
        pairs = zip(self.sizes, self.kept, strict=True)
        return [(layer, head) for layer, (size, left) in enumerate(pairs) for head in range(size) if head not in left]

    def places(self) -> list[tuple[int, tuple[int, ...]]]:
        """Layer and columns of each layer that computes attention, in the order of their records."""
        return [(layer, left) for layer, left in enumerate(self.kept) if left]
