"""Costs of what flows through a dense model, as a share of what it was at the start."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import final

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle
from typing_extensions import override

from compecon.compression.families import Layer, layers_of
from compecon.compression.last_layer import every_position
from compecon.incentives.costs.cost import ComputeCost, Read
from compecon.incentives.gates import Gates

NAME = "compecon_start"  # of the submodule that a model gains while a relative cost is read


class RelativeCost(ComputeCost):
    """A sum over layers as a share of what it was at the first forward pass, so that it starts at 1.

    What it was is kept in a submodule of the model meanwhile, so that a resumed training goes on with it.
    """

    @contextmanager
    @override
    def metered(self, model: nn.Module, gates: Gates | None) -> Iterator[Read]:
        layers, start = layers_of(model), _Start()
        if hasattr(model, NAME):
            raise ValueError("a cost of the model is being read already. Leave the other block first.")
        seen: dict[int, Tensor] = {}

        def read(mask: Tensor | None) -> Tensor:
            share = start.relative(torch.stack([self._of_layer(layers[i], seen[i], mask) for i in sorted(seen)]).sum())
            return share - (share - share.clamp(max=1)).detach()  # at most 1 to read, and still a slope above

        with ExitStack() as stack:
            stack.enter_context(every_position())  # hooks see what every layer computes, for all tokens
            stack.callback(delattr, model, NAME)
            model.add_module(NAME, start)
            for i, layer in enumerate(layers):
                for handle in self._watch(layer, partial(seen.__setitem__, i)):
                    stack.callback(handle.remove)
            yield read

    @abstractmethod
    def _watch(self, layer: Layer, keep: Callable[[Tensor], None]) -> list[RemovableHandle]:
        """Hook a layer so that `keep` gets what the cost needs; returns the hooks' handles."""

    @abstractmethod
    def _of_layer(self, layer: Layer, seen: Tensor, mask: Tensor | None) -> Tensor:
        """Cost of a layer, not yet relative to anything."""


@final
class _Start(nn.Module):
    """The first value of a cost, not known (NaN) until it is read."""

    value: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("value", torch.tensor(torch.nan))

    def relative(self, total: Tensor) -> Tensor:
        first = total.detach().float().clamp_min(torch.finfo(torch.float32).tiny)
        start = torch.where(self.value.isnan(), first, self.value)
        self.value.copy_(start)
        return total / start


def over_tokens(values: Tensor, mask: Tensor | None) -> Tensor:
    """(batch, token, feature) -> mean over real tokens, shape (feature,)."""
    if mask is None:
        return values.flatten(0, 1).mean(0)
    return (values * mask.unsqueeze(-1)).sum((0, 1)) / mask.sum()
