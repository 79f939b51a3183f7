"""How much the loss would change, to second order, without a unit."""

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
class Fisher(Importance):
    """Sum over examples of the squared gradient of a gate at 1: the diagonal of the empirical Fisher information.

    At a minimum of the loss it stands for the second derivative, so a unit's value is twice the loss, summed over
    examples, that removing it alone would cost. Each example counts by itself; the released code of the paper squares
    the gradients of batches of 32, which is a noisier estimate of the same.

    References:
        Kwon et al. (2022), "A Fast Post-Training Pruning Framework for Transformers", arXiv 2204.09656, section 4.1.
    """

    @override
    def score(self, model: nn.Module, batches: Iterable[Batch], loss: Loss) -> Units:
        parts = (gradients.fisher() for gradients in gate_gradients(model, batches, loss))
        total = next(parts)
        for part in parts:
            total = total.map(Tensor.add, part)
        return total
