"""What a forward pass costs, as a share of the dense model's, differentiable: the base class and costs of gates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import final

import torch
from torch import Tensor, nn

from compecon.compression.macs import unit_macs
from compecon.compression.units import Units
from compecon.incentives.gates import Gates
from compecon.latency import LatencyTable

Read = Callable[[Tensor | None], Tensor]
"""(attention mask of the batch, 1 for real tokens, or None) -> cost of the last forward pass, a scalar."""


class ComputeCost(ABC):
    """A cost in [0, 1] of the dense model's.

    Attributes:
        removes_work: Whether a low cost means that a compacted model executes less. False: it changes what the model
            does, and its executed MACs stay those of the dense model.
    """

    removes_work: bool

    @abstractmethod
    def metered(self, model: nn.Module, gates: Gates | None) -> AbstractContextManager[Read]:
        """Watch a model while it trains.

        Args:
            model: The model, gated if there are gates.
            gates: Its gates, if any.

        Returns:
            A context whose value reads the cost of the last forward pass.

        Raises:
            UnsupportedModelError: If the model is none whose cost can be read.
            ValueError: If the cost is one of gates and there are none.
        """


@final
class ExpectedMacs(ComputeCost):
    """Expected MACs of the model that compaction will leave, by each gate's chance to be open.

    Exact in expectation, and the only thing priced is what physically goes. With gates on heads only (or neurons only)
    the others count as they are, so a cost is always a share of the MACs of all heads and neurons.

    Args:
        n_tokens: Length at which MACs are counted.
    """

    removes_work = True

    def __init__(self, n_tokens: int) -> None:
        self.n_tokens = n_tokens

    @contextmanager
    def metered(self, model: nn.Module, gates: Gates | None) -> Iterator[Read]:
        """See `ComputeCost`."""
        learnt = _required(gates, self)
        macs = unit_macs(model, self.n_tokens).joined()
        share = (macs / macs.sum()).float()
        yield lambda _: learnt.chance_open().joined() @ share.to(learnt.device)


@final
class ExpectedLatency(ComputeCost):
    """Expected time of the layers on a device: measured seconds by heads and neurons, read at the expected numbers.

    Time falls in steps and not to 0, so this price closes units where closing saves time. What is not in the table
    (embeddings, norms, the output head) has no price.

    Args:
        table: Measured on the device at hand, see `compecon.latency.measure_blocks`.
    """

    removes_work = True

    def __init__(self, table: LatencyTable) -> None:
        self.table = table

    @contextmanager
    def metered(self, model: nn.Module, gates: Gates | None) -> Iterator[Read]:  # noqa: ARG002 - the table knows it
        """See `ComputeCost`."""
        learnt = _required(gates, self)
        yield lambda _: self._relative(learnt.chance_open())

    @torch.no_grad()
    def share(self, values: Units) -> float:
        """Share of the dense time that a model takes whose units of value 0 are removed."""
        return float(self._relative(values.map(lambda part: (part != 0).double())))

    def _relative(self, chance: Units) -> Tensor:
        dense = self._seconds(chance.map(lambda part: torch.ones_like(part, requires_grad=False)))
        return self._seconds(chance) / dense

    def _seconds(self, chance: Units) -> Tensor:
        heads, neurons = (torch.stack([part.sum() for part in kind]) for kind in (chance.heads, chance.neurons))
        return self.table.heads.at(heads).sum() + self.table.neurons.at(neurons).sum()


def _required(gates: Gates | None, cost: ComputeCost) -> Gates:
    if gates is None:
        raise ValueError(f"{type(cost).__name__} is a cost of gates, and there are none. Train with gates.")
    return gates
