"""A mean over real queries of something about the weights with which they read."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from typing_extensions import override

from compecon.attention.hooks import recorded_attention
from compecon.incentives.costs.cost import ComputeCost, Read
from compecon.incentives.gates import Gates


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
