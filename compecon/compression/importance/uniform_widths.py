"""Large weights are worth more, and all layers stay equally wide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from torch import nn
from typing_extensions import override

from compecon.compression.importance.base import Batch, Importance, Loss, Order
from compecon.compression.importance.magnitude import Magnitude
from compecon.compression.select import select, uniform
from compecon.compression.units import Units


@final
@dataclass(frozen=True, slots=True)
class UniformWidths(Importance):
    """`Magnitude`, but what stays are the largest of each layer, the same widths in all layers; needs no data."""

    @override
    def score(self, model: nn.Module, batches: Iterable[Batch], loss: Loss) -> Units:
        return Magnitude().score(model, batches, loss)

    @override
    def kept(self, order: Order) -> Units:
        return select(self.score(order.model, order.batches, order.loss), order.macs, order.target, rule=uniform)
