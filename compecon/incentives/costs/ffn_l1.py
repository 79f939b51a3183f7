"""The paper's second term."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from torch import Tensor
from torch.utils.hooks import RemovableHandle
from typing_extensions import override

from compecon.compression.families import Layer
from compecon.incentives.costs.relative import RelativeCost, over_tokens


@final
class FfnL1(RelativeCost):
    """Mean absolute FFN activation, the paper's second term, as a share of that at the start.

    With GELU nothing becomes exactly zero; and dividing the first matrix by a constant makes it as small as one likes
    without changing the model once the second is multiplied by it.
    """

    @override
    def _watch(self, layer: Layer, keep: Callable[[Tensor], None]) -> list[RemovableHandle]:
        return [layer.neurons_out.register_forward_pre_hook(lambda _, inputs: keep(inputs[0]))]

    @override
    def _of_layer(self, layer: Layer, seen: Tensor, mask: Tensor | None) -> Tensor:
        return over_tokens(seen.abs(), mask).mean()
