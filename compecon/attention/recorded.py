"""What one layer's heads read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, final

from torch import Tensor

Stack: TypeAlias = Literal["encoder", "decoder", "cross"]


@final
@dataclass(frozen=True, slots=True, eq=False)
class LayerAttention:
    """Attention weights of one layer in one forward pass.

    Attributes:
        layer: Counted from 0 within its stack.
        stack: Self-attention of the encoder or of the decoder, or the decoder reading the encoder ("cross"). A model of
            one stack is a decoder if it may not read the future.
        weights: What each query gives each key, before dropout; shape (batch, head, query, key), float32 or float64,
            attached to the graph. A row sums to 1, to 0 where the query sees nothing, and to less than 1 in models
            with a learned sink. 0 where the budget does not let it read.
        visible: True where the query could see the key had it the budget; broadcastable to ``weights``.
    """

    layer: int
    stack: Stack
    weights: Tensor
    visible: Tensor

    def row(self, row: int) -> LayerAttention:
        """The record of one row of the batch, batch size 1."""
        part = slice(row, row + 1)
        visible = self.visible if self.visible.shape[0] == 1 else self.visible[part]
        return LayerAttention(self.layer, self.stack, self.weights[part], visible)
