"""Let the units that stay make up for those that went: one scale each, by least squares, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, final

import torch
from torch import Tensor, nn

from compecon.compression.families import Layer, layers_of
from compecon.compression.importance.base import Batch, Loss
from compecon.compression.last_layer import every_position
from compecon.compression.modes import evaluating
from compecon.compression.replay import Stream, Values, approach, run, stream_of
from compecon.compression.units import Units

LARGEST_SCALE = 10.0  # beyond it, units cancel each other on the calibration examples, and on no others


def rescale(
    model: nn.Module,
    keep: Units,
    batches: Iterable[Batch],
    loss: Loss,
    *,
    teacher: Units | None = None,
    ridge: float = 1.0,
) -> Units:
    """Scale the kept units so that the hidden states after each block come closest to those of a teacher.

    From the input on, first the heads of a layer, then its neurons: the pruned model so far provides the inputs, the
    teacher, on its own inputs, the states to be met. Padding does not count, and of the last layer only tokens on which
    the loss depends. A block where a scale would exceed 10 in size keeps its units as they are.

    Closer states need not mean a lower loss: compare the two before using the scales.

    Args:
        model: As for `layers_of`; in evaluation mode meanwhile.
        keep: True, or anything but 0, for a unit that stays.
        batches: Calibration examples on the model's device.
        loss: Runs the model on a batch; its gradient shows which tokens count in the last layer.
        teacher: Values of the same model's units that make it the teacher; by default it is the model as given.
        ridge: Pulls scales to 1, with this weight relative to the mean squared contribution of a unit. Units share
            much of what they contribute, so far below 1 their scales grow large and of either sign.

    Returns:
        float64 on the CPU: 0 where ``keep`` is, a scale of either sign elsewhere. For `compact`.

    References:
        Kwon et al. (2022), arXiv 2204.09656, section 4.3.
    """
    with evaluating(model), every_position():
        pruned = [stream_of(model, batch, loss) for batch in batches]
    if not pruned:
        raise ValueError("Units are rescaled on calibration batches, got none. Pass at least one.")
    taught = pruned
    found: list[Values] = []
    keep = keep.map(lambda part: (part != 0).to("cpu", torch.float64))
    teacher = teacher or keep.map(torch.ones_like)
    layers = layers_of(model)
    with evaluating(model), every_position(), torch.no_grad():
        for layer, values, whole in zip(layers, _by_layer(keep), _by_layer(teacher), strict=True):
            outputs, states = zip(*(run(layer, stream, whole) for stream in taught), strict=True)
            for kind in (0, 1):
                pairs = [
                    (stream, stream.read if layer is layers[-1] else stream.tokens, state[kind])
                    for stream, state in zip(pruned, states, strict=True)
                ]
                values = _refitted(layer, kind, values, pairs, ridge)
            taught = [replace(stream, hidden=output) for stream, output in zip(taught, outputs, strict=True)]
            pruned = [replace(stream, hidden=run(layer, stream, values)[0]) for stream in pruned]
            found.append(values)
    heads, neurons = zip(*found, strict=True)
    return Units(heads, neurons)


def _by_layer(values: Units) -> list[Values]:
    return list(zip(values.heads, values.neurons, strict=True))


def _refitted(
    layer: Layer, kind: int, values: Values, pairs: Sequence[tuple[Stream, Tensor, Tensor]], ridge: float
) -> Values:
    """The values of a layer, one kind's new, from streams, which of their tokens count, and states to be reached."""
    stays = values[kind] != 0
    if not stays.any():
        return values
    equations = NormalEquations(layer.matrices[kind], layer.widths[kind], stays)
    for stream, counted, target in pairs:
        features, residual = approach(layer, stream, values, kind)
        missing = target - residual - layer.matrices[kind].bias
        equations.add(features[counted], missing[counted])
    refitted = values[kind].masked_scatter(stays, equations.scales(ridge))
    return (refitted, values[1]) if kind == 0 else (values[0], refitted)


@final
class NormalEquations:
    """Least squares over rows that come in batches: which scales make the units' contributions sum to the target.

    A unit's contribution to a row is its features times its columns W of the output matrix. Contributions are never
    made: their products are those of features X with features, (XᵀX) ∘ (WWᵀ), summed over the features of two units.
    """

    def __init__(self, matrix: nn.Module, width: int, stays: Tensor) -> None:
        """Begin without a row, for an output matrix; only units that stay, boolean of shape (unit,), have a scale."""
        weight: Any = matrix.weight
        by_feature: Tensor = (weight.T if isinstance(matrix, nn.Linear) else weight).detach()
        self._features = stays.to(weight.device).repeat_interleave(width)
        self._weight = by_feature[self._features].to(torch.promote_types(weight.dtype, torch.float32))
        self._mixing = self._weight @ self._weight.T
        self._shape = (int(stays.sum()), width)
        self._left = torch.zeros(self._shape[0], self._shape[0], dtype=torch.float64)
        self._right = torch.zeros(self._shape[0], dtype=torch.float64)

    def add(self, features: Tensor, target: Tensor) -> None:
        """Add rows: what the matrix reads, of all units, shape (row, feature), and the wanted sums, (row, output)."""
        read = features[:, self._features].to(self._weight)
        left = (read.T @ read) * self._mixing
        right = ((read.T @ target.to(self._weight)) * self._weight).sum(1)
        self._left += left.reshape(*self._shape, *self._shape).sum((1, 3)).cpu()
        self._right += right.reshape(self._shape).sum(1).cpu()

    def scales(self, ridge: float) -> Tensor:
        """The solution, float64 of shape (unit that stays,); all 1 if it has none, or one beyond `LARGEST_SCALE`.

        `ridge` is the weight of (scale - 1)², relative to the mean sum of squares of a unit's contribution.
        """
        damped = self._left + ridge * self._left.diagonal().mean() * torch.eye(len(self._left), dtype=torch.float64)
        factor, failed = torch.linalg.cholesky_ex(damped)
        ones = torch.ones_like(self._right)
        if int(failed):
            return ones
        scales = 1 + torch.cholesky_solve((self._right - self._left.sum(1))[:, None], factor)[:, 0]
        return scales if bool((scales.abs() <= LARGEST_SCALE).all()) else ones
