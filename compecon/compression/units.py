"""One number for each head and each FFN neuron of a model: a gate, an importance, a cost, or kept or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self, final

import torch
from torch import Tensor


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
