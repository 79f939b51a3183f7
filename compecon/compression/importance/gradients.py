"""Gradients of the loss with respect to a gate at 1 on each unit, for every example by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self, final

import torch
from torch import Tensor, nn

from compecon.compression.families import unit_counts
from compecon.compression.importance.base import Batch, Loss
from compecon.compression.last_layer import at_one_position
from compecon.compression.modes import evaluating
from compecon.compression.scaled import scaled_by
from compecon.compression.units import Units


@final
@dataclass(frozen=True, slots=True, eq=False)
class GateGradients:
    """What the loss of each example would do if a unit were scaled."""

    heads: tuple[Tensor, ...]  # a matrix per layer, shape (example, head), on the CPU
    neurons: tuple[Tensor, ...]  # likewise, shape (example, neuron)

    def reduced(self, function: Callable[[Tensor], Tensor]) -> Units:
        """One value a unit: a function of float64 (example, unit) that gives (unit,)."""
        return Units(*(tuple(function(part.double()) for part in kind) for kind in (self.heads, self.neurons)))

    def fisher(self) -> Units:
        """Squared gradients, summed over examples: the diagonal of the empirical Fisher information."""
        return self.reduced(lambda part: part.square().sum(0))

    def followed_by(self, other: GateGradients) -> Self:
        """The examples of both; or, where that is more rows than needed, fewer rows of the same Fisher information."""
        return type(self)(
            *(
                tuple(_shortened(torch.cat(pair)) for pair in zip(*kinds, strict=True))
                for kinds in ((self.heads, other.heads), (self.neurons, other.neurons))
            )
        )


def gate_gradients(model: nn.Module, batches: Iterable[Batch], loss: Loss) -> Iterator[GateGradients]:
    """Differentiate the loss of each example, a batch at a time, in one backward pass per batch.

    Each example gets gates of its own, so that the gradient of the mean loss, times the number of examples, is each
    example's gradient. Weights get no gradient. A loss that is a mean over tokens gives each example its share of it.

    Raises:
        UnsupportedModelError: If the model's heads and neurons are not known.
        ValueError: If there is no batch, or a gradient is not finite.
    """
    number = 0
    for number, batch in enumerate(batches, 1):
        with evaluating(model):
            gradients = _of_batch(model, batch, loss)
        if not all(part.isfinite().all() for part in (*gradients.heads, *gradients.neurons)):
            raise ValueError(
                f"The gradient of calibration batch {number} is not finite. "
                "Check that the loss is finite for every example, or calibrate in float32."
            )
        yield gradients
    if number == 0:
        raise ValueError("Units are valued on calibration batches, got none. Pass at least one.")


def all_gate_gradients(model: nn.Module, batches: Iterable[Batch], loss: Loss) -> GateGradients:
    """The gradients of all examples, in no more than twice as many rows as a layer has units of a kind.

    The rows are the examples or stand for them: their sums of products over rows, the Fisher information, are the
    same. Arguments and errors as for `gate_gradients`.
    """
    gradients = gate_gradients(model, batches, loss)
    total = next(gradients)
    for more in gradients:
        total = total.followed_by(more)
    return total


def n_examples(batch: Batch) -> int:
    """How many examples a batch has."""
    return len(next(iter(batch.values())))


def _of_batch(model: nn.Module, batch: Batch, loss: Loss) -> GateGradients:
    size = n_examples(batch)
    device = next(model.parameters()).device

    def gates(n_units: int) -> Tensor:
        return torch.ones(size, 1, n_units, device=device, requires_grad=True)

    pairs = tuple((gates(heads), gates(neurons)) for heads, neurons in unit_counts(model))
    with torch.enable_grad(), at_one_position(model), scaled_by(model, lambda: pairs):
        total = size * loss(model, batch)
        flat = [gate for kind in zip(*pairs, strict=True) for gate in kind]
        found = torch.autograd.grad(total, flat, allow_unused=True, materialize_grads=True)
    rows = tuple(gradient.squeeze(1).cpu() for gradient in found)
    return GateGradients(rows[: len(pairs)], rows[len(pairs) :])


def _shortened(rows: Tensor) -> Tensor:
    """QᵀQ = 1, so G = QR has GᵀG = RᵀR, and R has as many rows as columns."""
    n_rows, n_columns = rows.shape
    return torch.linalg.qr(rows, mode="r").R if n_rows > 2 * n_columns else rows
