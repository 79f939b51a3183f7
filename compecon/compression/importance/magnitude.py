"""Large weights are worth more: no data needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn
from typing_extensions import override

from compecon.compression.families import Layer, layers_of
from compecon.compression.importance.base import Batch, Importance, Loss
from compecon.compression.units import Units


@final
@dataclass(frozen=True, slots=True)
class Magnitude(Importance):
    """Norm of a head's slices of query, key, value and output, or of a neuron's row and column; needs no data.

    Each matrix is first divided by its root mean square over the units of its layer, so that neither a layer nor a
    matrix counts for more because its weights are larger as a whole. Mean square over a layer's units: 1.
    """

    @override
    def score(self, model: nn.Module, batches: Iterable[Batch], loss: Loss) -> Units:
        layers = layers_of(model)
        return Units(tuple(map(_heads, layers)), tuple(map(_neurons, layers)))


def _heads(layer: Layer) -> Tensor:
    n_features = layer.n_heads * layer.d_head
    weights = map(_rows, layer.projections)
    reads = [part for rows in weights for part in rows.chunk(max(1, len(rows) // max(1, n_features)))]  # 3 where fused
    return _combined([*reads, _columns(layer.heads_out)], layer.n_heads)


def _neurons(layer: Layer) -> Tensor:
    return _combined([_rows(layer.neurons_in), _columns(layer.neurons_out)], layer.n_neurons)


def _combined(parts: list[Tensor], n_units: int) -> Tensor:
    """Root mean square, over the parts, of each unit's share of a part; a part has the rows of all units."""
    if n_units == 0:
        return torch.zeros(0, dtype=torch.float64)
    squares = torch.stack([part.reshape(n_units, -1).square().sum(1) for part in parts])
    typical = squares.mean(1, keepdim=True)
    return (squares / typical.where(typical > 0, 1)).mean(0).sqrt()


def _rows(matrix: nn.Module) -> Tensor:
    """Weights by what is written; transformers' Conv1D stores them the other way round."""
    weight: Any = matrix.weight
    weight = weight.detach().double().cpu()
    return weight if isinstance(matrix, nn.Linear) else weight.T  # type: ignore[no-any-return]


def _columns(matrix: nn.Module) -> Tensor:
    """Weights by what is read."""
    return _rows(matrix).T
