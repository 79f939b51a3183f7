"""One number for each head and each FFN neuron: a gate, an importance, kept or not, or its cost in multiply-adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from compecon.compression.families import Layer, base_of, layers_of, n_inputs
from compecon.compression.read_position import position_read
from compecon.compression.shape import CompactShape


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Values of the units that a budget of MACs is shared among.

    Attributes:
        heads: A tensor per layer, shape (head,).
        neurons: A tensor per layer, shape (neuron,). A layer may have no unit left of either kind.
    """

    heads: tuple[Tensor, ...]
    neurons: tuple[Tensor, ...]

    def __post_init__(self) -> None:
        if len(self.heads) != len(self.neurons) or any(part.ndim != 1 for part in (*self.heads, *self.neurons)):
            shapes = [[tuple(part.shape) for part in kind] for kind in (self.heads, self.neurons)]
            raise ValueError(f"heads and neurons need one vector per layer each, got shapes {shapes}.")

    def map(self, function: Callable[..., Tensor], *others: Units) -> Units:
        """Apply a function to each layer's vectors, together with those of ``others`` at the same place."""
        return Units(
            tuple(map(function, self.heads, *(other.heads for other in others))),
            tuple(map(function, self.neurons, *(other.neurons for other in others))),
        )

    def joined(self) -> Tensor:
        """All values in one vector: the heads of every layer, then the neurons of every layer."""
        return torch.cat([*self.heads, *self.neurons])

    def split(self, values: Tensor) -> Units:
        """The inverse of :meth:`joined`, for a vector of as many values as there are units here."""
        parts = torch.split(values, [len(part) for part in (*self.heads, *self.neurons)])
        return Units(parts[: len(self.heads)], parts[len(self.heads) :])

    def total(self) -> Tensor:
        """Sum of all values, differentiable; a scalar."""
        return self.joined().sum()

    def counts(self) -> tuple[tuple[int, int], ...]:
        """How many heads and neurons of each layer have a value other than 0."""
        pairs = zip(self.heads, self.neurons, strict=True)
        return tuple((int(heads.count_nonzero()), int(neurons.count_nonzero())) for heads, neurons in pairs)

    def require_counts(self, expected: Sequence[tuple[int, int]]) -> None:
        """Make sure that there is one value for each of so many heads and neurons of each layer (ValueError)."""
        given = [(len(heads), len(neurons)) for heads, neurons in zip(self.heads, self.neurons, strict=True)]
        if given != list(expected):
            raise ValueError(f"values must have one entry per unit: (heads, neurons) {list(expected)}, got {given}.")

    @staticmethod
    def full(counts: Sequence[tuple[int, int]], value: float | bool) -> Units:
        """The same value everywhere, for layers of so many heads and neurons."""
        heads, neurons = zip(*counts, strict=True)
        return Units(*(tuple(torch.full((n,), value) for n in kind) for kind in (heads, neurons)))


@final
@dataclass(frozen=True, slots=True, eq=False)
class UnitMacs(Units):
    """MACs of each unit, and of what they are a share.

    **A share of the MACs** means the same everywhere, in targets, prices, gates, reports and on pages: the MACs that a
    model spends on its heads and neurons, by those of the dense model, before anything was removed and as transformers
    runs it, every layer at every position. Embeddings and the output head are in neither. So a dense classifier that
    computes its last layer at one position only (`compecon.compression.read_position`) has a share below 1 with all of
    its units.

    Attributes:
        dense: MACs of all heads and neurons of that dense model; above 0.
    """

    dense: float

    def to(self, device: torch.device | str) -> UnitMacs:
        """The same on another device."""
        heads, neurons = (tuple(part.to(device) for part in kind) for kind in (self.heads, self.neurons))
        return UnitMacs(heads, neurons, self.dense)


def unit_macs(model: nn.Module, n_tokens: int) -> UnitMacs:
    """MACs of each unit at a length: what removing it saves, counted as `compecon.flops.macs` counts (2 FLOPs each).

    With n tokens, d features of the residual stream and h of a head:

    - a head costs 4ndh for its four projections and 2n²h for its scores and reads; a neuron 2nd, for its row of one FFN
      matrix and its column of the other;
    - in the last layer of a model whose head reads one position, where `compact` computes queries, outputs and neurons
      for that position alone, a head costs 2(n + 1)dh and 2nh, about half; a neuron 2d, an n-th.

    Norms, biases and activations are not matrix products.

    Args:
        model: As for `layers_of`, dense or compacted.
        n_tokens: Length of the text.

    Returns:
        float64; exact up to 2**53.

    Raises:
        UnsupportedModelError: If the model's heads and neurons are not known.
        ValueError: If ``n_tokens`` is below 1.
    """
    if n_tokens < 1:
        raise ValueError(f"n_tokens must be at least 1, got {n_tokens}.")
    layers, one = layers_of(model), position_read(model) is not None
    heads, neurons = [], []
    for layer in layers:
        queries = 1 if one and layer is layers[-1] else n_tokens
        head, neuron = _prices(layer, n_tokens, queries)
        heads.append(torch.full((layer.n_heads,), head, dtype=torch.float64))
        neurons.append(torch.full((layer.n_neurons,), neuron, dtype=torch.float64))
    head, neuron = _prices(layers[0], n_tokens, n_tokens)
    whole = CompactShape.dense(base_of(model).config)
    return UnitMacs(tuple(heads), tuple(neurons), float(whole.n_heads * head + whole.n_neurons * neuron))


def share_of_macs(keep: Units, macs: UnitMacs) -> float:
    """Share of the MACs (see `UnitMacs`) that the kept units cost, in [0, 1].

    Args:
        keep: True, or anything but 0, for a unit that stays.
        macs: MACs of each unit, from `unit_macs` of the model before anything was removed.
    """
    kept = keep.map(lambda stays, cost: (stays != 0).to(cost) * cost, macs)
    return float(kept.total()) / macs.dense


def _prices(layer: Layer, n_tokens: int, n_queries: int) -> tuple[int, int]:
    """MACs of a head and of a neuron of a layer that serves so many positions."""
    width = n_inputs(layer.neurons_in)
    mixing = 2 * (n_tokens + n_queries) * width + 2 * n_tokens * n_queries
    return mixing * layer.d_head, 2 * n_queries * width
