"""Time on a device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self, final

import torch
from torch import Tensor, nn
from typing_extensions import override

from compecon.compression.families import layers_of, n_inputs
from compecon.compression.units import UnitMacs, Units, unit_macs
from compecon.incentives.costs.cost import ComputeCost, Read, required
from compecon.incentives.gates import Gates
from compecon.latency import BlockShape, LatencyTable, Workload, measure_blocks


@final
class ExpectedLatency(ComputeCost):
    """Expected time of the layers on a device: measured seconds by heads and neurons, read at the expected numbers.

    The last layer of a classifier is charged like any other, though `compact` leaves it less to do: the table holds
    layers that serve every position.

    Time falls in steps and not to 0, so this price closes units where closing saves time. What is not in the table
    (embeddings, norms, the output head) has no price.

    Args:
        table: Measured on the device at hand, see `compecon.latency.measure_blocks`.
    """

    def __init__(self, table: LatencyTable) -> None:
        self.table = table

    @classmethod
    @override
    def for_training(cls, model: nn.Module, work: Workload) -> Self:
        layer = layers_of(model)[0]
        macs = unit_macs(model, 1)
        most = [max(len(part) for part in kind) for kind in (macs.heads, macs.neurons)]
        return cls(measure_blocks(BlockShape(n_inputs(layer.neurons_in), layer.d_head, *most), work))

    @contextmanager
    @override
    def metered(self, model: nn.Module, gates: Gates | None) -> Iterator[Read]:
        learnt = required(gates, self)
        yield lambda _: self._relative(learnt.chance_open())

    @torch.no_grad()
    @override
    def share(self, values: Units, macs: UnitMacs) -> float:
        return float(self._relative(values.map(lambda part: (part != 0).double())))

    def _relative(self, chance: Units) -> Tensor:
        dense = self._seconds(chance.map(lambda part: torch.ones_like(part, requires_grad=False)))
        return self._seconds(chance) / dense

    def _seconds(self, chance: Units) -> Tensor:
        heads, neurons = (torch.stack([part.sum() for part in kind]) for kind in (chance.heads, chance.neurons))
        return self.table.heads.at(heads).sum() + self.table.neurons.at(neurons).sum()
