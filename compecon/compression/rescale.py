"""Let the units that stay make up for those that went: one scale each, by least squares, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from compecon.compression.importance.base import Batch, Loss
from compecon.compression.least_squares import NormalEquations
from compecon.compression.modes import evaluating
from compecon.compression.replay import Stage, Stream, Values, approach, run, stages_of, stream_of
from compecon.compression.units import Units


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
    teacher, on its own inputs, the states to be met. Padding does not count, and of the last layer only tokens on
    which the loss depends. A block where a scale would exceed 10 in size keeps its units as they are.

    Closer states need not mean a lower loss: compare the two before using the scales.

    Args:
        model: As for `layers_of`; in evaluation mode meanwhile.
        keep: True, or anything but 0, for a unit that stays.
        batches: Calibration examples on the model's device.
        loss: Runs the model on a batch; says which tokens count in the last layer.
        teacher: Values of the same model's units that make it the teacher; by default it is the model as given.
        ridge: Pulls scales to 1, with this weight relative to the mean squared contribution of a unit. Units share
            much of what they contribute, so far below 1 their scales grow large and of either sign.

    Returns:
        float64 on the CPU: 0 where ``keep`` is, a scale of either sign elsewhere. For `compact`.

    Raises:
        UnsupportedModelError: If the model's heads and neurons are not known.
        ValueError: If there is no batch.

    References:
        Kwon et al. (2022), arXiv 2204.09656, section 4.3.
    """
    with evaluating(model):
        pruned = [stream_of(model, batch, loss) for batch in batches]
    if not pruned:
        raise ValueError("Units are rescaled on calibration batches, got none. Pass at least one.")
    taught = pruned
    found: list[Values] = []
    keep = keep.map(lambda part: (part != 0).to("cpu", torch.float64))
    teacher = teacher or keep.map(torch.ones_like)
    with evaluating(model), torch.no_grad():
        for stage, values, whole in zip(stages_of(model), _by_layer(keep), _by_layer(teacher), strict=True):
            passages = [run(stage, stream, whole) for stream in taught]
            for kind in (0, 1):
                pairs = [(stream, passage.states[kind]) for stream, passage in zip(pruned, passages, strict=True)]
                values = _refitted(stage, kind, values, pairs, ridge)
            taught = [stream.after(passage.output) for stream, passage in zip(taught, passages, strict=True)]
            pruned = [stream.after(run(stage, stream, values).output) for stream in pruned]
            found.append(values)
    heads, neurons = zip(*found, strict=True)
    return Units(heads, neurons)


def _by_layer(values: Units) -> list[Values]:
    return list(zip(values.heads, values.neurons, strict=True))


def _refitted(stage: Stage, kind: int, values: Values, pairs: Sequence[tuple[Stream, Tensor]], ridge: float) -> Values:
    """The values of a layer, those of one kind with new scales, from streams and the states they should lead to."""
    stays = values[kind] != 0
    if not stays.any():
        return values
    equations = NormalEquations(stage.matrices[kind], stage.widths[kind], stays)
    for stream, target in pairs:
        features, residual = approach(stage, stream, values, kind)
        counted = stream.read if stage.last else stream.tokens
        missing = target - residual - stage.matrices[kind].bias
        equations.add(features[counted], missing[counted])
    refitted = values[kind].masked_scatter(stays, equations.scales(ridge))
    return (refitted, values[1]) if kind == 0 else (values[0], refitted)
