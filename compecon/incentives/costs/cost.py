"""What a forward pass costs, as a share of the dense model's, differentiable."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import ClassVar, Self

import torch
from torch import Tensor, nn
from typing_extensions import override

from compecon.attention.hooks import recorded_attention
from compecon.compression.units import UnitMacs, Units
from compecon.incentives.gates import Gates
from compecon.latency import Workload

Read = Callable[[Tensor | None], Tensor]
"""(attention mask of the batch, 1 for real tokens, or None) -> cost of the last forward pass, a scalar."""


class ComputeCost(ABC):
    """A cost in [0, 1] of the dense model's.

    Attributes:
        is_of_macs: Whether `share` is that of MACs, so that gates which have not come down far enough can be cut to a
            target by the MACs of their units. Time, for one, has no order to cut by.
    """

    is_of_macs: ClassVar[bool] = False

    @classmethod
    def for_training(cls, model: nn.Module, work: Workload) -> Self:  # noqa: ARG003 - most need neither
        """The cost for a training.

        Args:
            model: The dense model.
            work: Mean length of its texts, batch size, device.
        """
        return cls()

    @abstractmethod
    def metered(self, model: nn.Module, gates: Gates | None) -> AbstractContextManager[Read]:
        """Watch a model while it trains.

        Args:
            model: The model, gated if there are gates.
            gates: Its gates, if any.

        Returns:
            A context whose value reads the cost of the last forward pass.

        Raises:
            UnsupportedModelError: If the cost of such a model cannot be read.
            ValueError: If the cost is one of gates and there are none.
        """

    def share(self, values: Units, macs: UnitMacs) -> float:
        """What is left of the cost of the dense model without some of its units; of costs that remove work.

        Args:
            values: 0 for a unit that goes.
            macs: MACs of each unit, on the same device.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define the share that is left without some units.")


def required(gates: Gates | None, cost: ComputeCost) -> Gates:
    """The gates of a cost that is one of gates; ValueError if there are none."""
    if gates is None:
        raise ValueError(f"{type(cost).__name__} is a cost of gates, but there are none. Train with gates.")
    return gates


class AttentionCost(ComputeCost):
    """A mean over real queries of something about the weights with which they read."""

    @contextmanager
    @override
    def metered(self, model: nn.Module, gates: Gates | None) -> Iterator[Read]:
        with recorded_attention(model) as seen:
            handle = model.register_forward_pre_hook(lambda *_: seen.clear())

            def read(mask: Tensor | None) -> Tensor:
                per_layer = [_over_queries(self._per_query(one.weights, one.visible), mask) for one in seen]
                return torch.stack(per_layer).mean()

            try:
                yield read
            finally:
                handle.remove()

    @abstractmethod
    def _per_query(self, weights: Tensor, visible: Tensor) -> Tensor:
        """(batch, head, query, key) weights and what is visible -> (batch, head, query)."""


def _over_queries(values: Tensor, mask: Tensor | None) -> Tensor:
    """(batch, head, query) -> mean over real queries and heads, a scalar."""
    real = torch.ones_like(values[:, :1]) if mask is None else mask.unsqueeze(1)
    return (values * real).sum() / (real.sum() * values.shape[1])
