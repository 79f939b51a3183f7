"""The size of what heads and neurons add."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle
from typing_extensions import override

from compecon.compression.families import Layer
from compecon.incentives.costs.relative import RelativeCost, over_tokens


@final
class GroupLasso(RelativeCost):
    """Sum over heads and neurons of the size of what each adds to the residual stream, as a share of that at the start.

    Size: root mean square over tokens of what enters the unit's output matrix, times the norm of its slice of that
    matrix. Scaling one against the other changes nothing, and a unit that goes to 0 does so for all tokens, so that it
    can be removed; but none reaches 0 exactly, so removal needs a threshold.
    """

    @override
    def _watch(self, layer: Layer, keep: Callable[[Tensor], None]) -> list[RemovableHandle]:
        parts: list[Tensor] = []

        def note(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            parts.append(inputs[0])
            if len(parts) == 2:  # heads, then neurons: a layer computes them in this order
                keep(torch.cat(parts, -1))
                parts.clear()

        return [module.register_forward_pre_hook(note) for module in layer.matrices]

    @override
    def _of_layer(self, layer: Layer, seen: Tensor, mask: Tensor | None) -> Tensor:
        n_mixed = seen.shape[-1] - layer.n_neurons
        mixed, active = seen[..., :n_mixed], seen[..., n_mixed:]
        energy = over_tokens(mixed.float().square(), mask) * _energy_out(layer.heads_out)
        heads = energy.reshape(-1, layer.d_head).sum(-1)
        neurons = over_tokens(active.float().square(), mask) * _energy_out(layer.neurons_out)
        return (torch.cat([heads, neurons]) + 1e-12).sqrt().sum()


def _energy_out(matrix: nn.Module) -> Tensor:
    """Squared norm of what each input feature of a matrix is multiplied by."""
    weight: Any = matrix.weight
    squared: Tensor = weight.float().square()
    return squared.sum(0 if isinstance(matrix, nn.Linear) else 1)
