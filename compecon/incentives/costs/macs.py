"""Multiply-adds that closing gates removes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self, final

from torch import nn
from typing_extensions import override

from compecon.compression.units import UnitMacs, Units, share_of_macs, unit_macs
from compecon.incentives.costs.cost import ComputeCost, Read, required
from compecon.incentives.gates import Gates
from compecon.latency import Workload


@final
class ExpectedMacs(ComputeCost):
    """Expected MACs of the model that compaction will leave, by each gate's chance to be open.

    Exact in expectation, and the only thing priced is what physically goes. With gates on heads only (or neurons only)
    the others count as they are, so a cost is always a share of the MACs as
    `UnitMacs` defines it.

    Args:
        n_tokens: Length at which MACs are counted, at least 1.

    Examples:
        >>> from compecon import ExpectedMacs, Gates, load_checkpoint
        >>> from compecon.compression import Units
        >>> model = load_checkpoint("sentiment").model
        >>> gates = Gates(Units.full([(12, 1536)] * 3, 0.0))
        >>> with ExpectedMacs(n_tokens=32).metered(model, gates) as read:
        ...     print(f"{float(read(None).detach()):.2f}")  # open with a chance of 0.83 each; all cost 0.73
        0.61
    """

    is_of_macs = True

    def __init__(self, n_tokens: int) -> None:
        self.n_tokens = n_tokens

    @classmethod
    @override
    def for_training(cls, model: nn.Module, work: Workload) -> Self:
        return cls(work.n_tokens)

    @contextmanager
    @override
    def metered(self, model: nn.Module, gates: Gates | None) -> Iterator[Read]:
        learnt = required(gates, self)
        macs = unit_macs(model, self.n_tokens)
        share = (macs.joined() / macs.dense).float()
        yield lambda _: learnt.chance_open().joined() @ share.to(learnt.device)

    @override
    def share(self, values: Units, macs: UnitMacs) -> float:
        return share_of_macs(values, macs)
