"""One number for each head and each FFN neuron: a gate, an importance, kept or not, or its cost in multiply-adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self, final

import torch
from torch import Tensor, nn

from compecon.compression.families import layers_of, n_inputs


@final
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

    @classmethod
    def full(cls, counts: Sequence[tuple[int, int]], value: float | bool) -> Self:
        """The same value everywhere, for layers of so many heads and neurons."""
        heads, neurons = zip(*counts, strict=True)
        return cls(*(tuple(torch.full((n,), value) for n in kind) for kind in (heads, neurons)))


def unit_macs(model: nn.Module, n_tokens: int) -> Units:
    """MACs of each unit at a length: what removing it saves, counted as `compecon.flops.macs` counts (2 FLOPs each).

    A head costs its four projections and its n² scores and reads; a neuron its row of one FFN matrix and its column of
    the other. Norms, biases and activations are not matrix products. Everything else (embeddings, the output head) is
    not shared among units, so the sum over all units is what a target of "0.45 of the MACs" is a share of.

    Args:
        model: As for `layers_of`.
        n_tokens: Length of the text.

    Returns:
        float64; exact up to 2**53.

    Raises:
        UnsupportedModelError: If the model's heads and neurons are not known.
        ValueError: If ``n_tokens`` is below 1.
    """
    if n_tokens < 1:
        raise ValueError(f"n_tokens must be at least 1, got {n_tokens}.")
    heads, neurons = [], []
    for layer in layers_of(model):
        width = n_inputs(layer.neurons_in)
        head = 4 * n_tokens * width * layer.d_head + 2 * n_tokens**2 * layer.d_head
        heads.append(torch.full((layer.n_heads,), head, dtype=torch.float64))
        neurons.append(torch.full((layer.n_neurons,), 2 * n_tokens * width, dtype=torch.float64))
    return Units(tuple(heads), tuple(neurons))


def share_of_macs(keep: Units, macs: Units) -> float:
    """Share of the MACs of all units that the kept ones cost, in [0, 1].

    Args:
        keep: True, or anything but 0, for a unit that stays.
        macs: MACs of each unit, from `unit_macs` of the model before anything was removed.
    """
    kept = keep.map(lambda stays, cost: (stays != 0).to(cost) * cost, macs)
    return float(kept.total() / macs.total())
