"""The other reading of the paper's first term."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle
from typing_extensions import override

from compecon.compression.families import Layer
from compecon.incentives.costs.relative import RelativeCost


@final
class ScoreL1(RelativeCost):
    """Mean absolute attention score before the softmax, the other reading of the paper's first term.

    Kept for parity, to show that it does the opposite of what is claimed: scores go to 0, attention becomes uniform.
    """

    @override
    def _watch(self, layer: Layer, keep: Callable[[Tensor], None]) -> list[RemovableHandle]:
        seen: list[Tensor] = []
        names = layer.projections

        def note(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            seen.append(output)
            if len(seen) == len(names):
                parts = torch.cat(seen, -1).chunk(3, -1)
                seen.clear()
                keep(torch.cat(parts[:2], -1))

        return [module.register_forward_hook(note) for module in names]

    @override
    def _of_layer(self, layer: Layer, seen: Tensor, mask: Tensor | None) -> Tensor:
        query, key = (half.reshape(*half.shape[:2], -1, layer.d_head).transpose(1, 2) for half in seen.chunk(2, -1))
        scores: Tensor = (query @ key.transpose(-1, -2)).abs() * layer.d_head**-0.5
        ones = scores.new_ones(scores.shape[0], 1, *scores.shape[-2:])
        real = ones if mask is None else ones * mask[:, None, :, None] * mask[:, None, None, :]
        if getattr(layer.attention, "is_causal", False):
            real = real.tril()
        mean: Tensor = (scores * real).sum() / (real.sum() * scores.shape[1])
        return mean
