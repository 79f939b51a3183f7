"""Heads and neurons of a model in another order, which computes the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from compecon.compression.families import layers_of
from compecon.compression.shape import CompactShape
from compecon.compression.shaping import output_dim, projection_copies
from compecon.compression.units import Units

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def _nothing(_: nn.Parameter) -> Iterable[Tensor]:
    return ()


@torch.no_grad()
def reorder(
    model: PreTrainedModel, order: Units, *, also: Callable[[nn.Parameter], Iterable[Tensor]] = _nothing
) -> None:
    """Rearrange the units of a compacted model in place; ``config.compact`` follows.

    Args:
        model: A `Compact...` model.
        order: For each layer, the present places of the heads and of the neurons in their new order; int64.
        also: Tensors of the shape of a parameter that are rearranged with it, such as an optimizer's moments.

    Raises:
        ValueError: If the order does not name every unit once.
    """
    for layer, heads, neurons in zip(layers_of(model), order.heads, order.neurons, strict=True):
        for places, number in ((heads, layer.n_heads), (neurons, layer.n_neurons)):
            if not torch.equal(places.sort().values, torch.arange(number)):
                raise ValueError(f"an order of {number} units must name each of them once.")
        by_feature = (heads.unsqueeze(1) * layer.d_head + torch.arange(layer.d_head)).flatten()
        width = len(by_feature)
        for projection in layer.projections:
            copies = [by_feature + copy * width for copy in range(projection_copies(layer))]
            _outputs(projection, torch.cat(copies), also)
        _move(layer.heads_out.weight, by_feature, 1 - output_dim(layer.heads_out), also)
        _outputs(layer.neurons_in, neurons, also)
        _move(layer.neurons_out.weight, neurons, 1 - output_dim(layer.neurons_out), also)
    _say(model, order)


def _outputs(matrix: Any, places: Tensor, also: Callable[[nn.Parameter], Iterable[Tensor]]) -> None:
    _move(matrix.weight, places, output_dim(matrix), also)
    _move(matrix.bias, places, 0, also)


def _move(parameter: Any, places: Tensor, dim: int, also: Callable[[nn.Parameter], Iterable[Tensor]]) -> None:
    for each in (parameter.data, *also(parameter)):
        each.copy_(each.index_select(dim, places.to(each.device)))


def _say(model: PreTrainedModel, order: Units) -> None:
    kept = CompactShape.of(model.config)
    heads = (
        tuple(indices[place] for place in places.tolist())
        for indices, places in zip(kept.heads, order.heads, strict=True)
    )
    model.config.compact = replace(kept, heads=tuple(heads)).written()
