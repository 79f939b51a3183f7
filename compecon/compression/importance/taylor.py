"""How much the loss would change, to first order, without a unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from torch import Tensor, nn
from typing_extensions import override

from compecon.compression.importance.base import Batch, Importance, Loss
from compecon.compression.importance.gradients import gate_gradients
from compecon.compression.units import Units


@final
@dataclass(frozen=True, slots=True)
class Taylor(Importance):
    """Mean over examples of the absolute gradient of a gate at 1, |z·dL/dz|.

    Heads are divided by the Euclidean norm over their layer, as Michel et al. do; neurons, which are compared over
    the whole model in loss units, are not. So compare heads with heads, neurons with neurons.

    References:
        Michel, Levy and Neubig (2019), "Are Sixteen Heads Really Better than One?", arXiv 1905.10650, section 4.1.
        Molchanov et al. (2019), "Importance Estimation for Neural Network Pruning", arXiv 1906.10771.
    """

    @override
    def score(self, model: nn.Module, batches: Iterable[Batch], loss: Loss) -> Units:
        total, n_examples = None, 0
        for gradients in gate_gradients(model, batches, loss):
            part = gradients.reduced(lambda rows: rows.abs().sum(0))
            total = part if total is None else total.map(Tensor.add, part)
            n_examples += len(gradients.neurons[0])
        assert total is not None  # noqa: S101 - gate_gradients gives one batch or raises
        mean = total.map(lambda part: part / n_examples)
        return Units(tuple(map(_normalised, mean.heads)), mean.neurons)


def _normalised(heads: Tensor) -> Tensor:
    norm = heads.norm()
    return heads / norm if norm > 0 else heads
