"""The places of a model's heads in the model before any were removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import torch
from torch import Tensor

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

    def empty(self) -> Tensor:
        """Places without a head, bool, shape (layer, head)."""
        return torch.tensor([[head not in left for head in range(self.n_columns)] for left in self.kept])

    def placed(self, attention: Sequence[LayerAttention]) -> Tensor:
        """The weights of a model's records (batch size 1) in their places, 0 elsewhere.

        Returns:
            float32, shape (layer, head, query, key).
        """
        layers = [layer.weights[0].float() for layer in attention]
        if all(len(left) == self.n_columns for left in self.kept):
            return torch.stack(layers)
        grid = layers[0].new_zeros(len(self.kept), self.n_columns, *layers[0].shape[1:])
        for row, left, weights in zip(self._rows(), self._left(), layers, strict=True):
            grid[row, list(left)] = weights
        return grid

    def seen(self, attention: Sequence[LayerAttention]) -> list[Tensor]:
        """What each layer's heads may see, bool, (head or 1, query, key); a layer without heads sees what others do."""
        given = dict(zip(self._rows(), (layer.visible[0] for layer in attention), strict=True))
        return [given.get(layer, attention[0].visible[0]) for layer in range(len(self.kept))]

    def _rows(self) -> list[int]:
        """Layers that compute attention, in the order of their records."""
        return [layer for layer, left in enumerate(self.kept) if left]

    def _left(self) -> list[tuple[int, ...]]:
        return [left for left in self.kept if left]
