"""Who may be read when there is not enough for all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor
from typing_extensions import override

from compecon.attention.budget import Budget, KeyBudget, PerHead, PerLayer, PerRow
from compecon.attention.selection import keep_largest

__all__ = [
    "Budget",
    "FirstK",
    "KeyBudget",
    "PerHead",
    "PerLayer",
    "PerRow",
    "Policy",
    "RandomK",
    "SinkRecent",
    "TopK",
    "TopMass",
]


class Policy(ABC):
    """An order of merit among keys. A policy only ranks; selection is done once, here."""

    @abstractmethod
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        """How much each query deserves to read each key.

        Args:
            scores: Attention logits, shape (batch, head, query, key), -inf where the query does not see the key.
            layer: Layer, counted from 0 within its stack.

        Returns:
            Floats that broadcast to the shape of ``scores``, higher first; equal merit goes to the earlier key. A key
            of merit -inf is never read.
        """

    @final
    def keep(self, scores: Tensor, visible: Tensor, budget: Budget, layer: int) -> Tensor:
        """Mark the keys each query reads.

        Args:
            scores: Attention logits, shape (batch, head, query, key).
            visible: True where the query sees the key, broadcastable to ``scores``.
            budget: How many keys each query may read.
            layer: Layer, counted from 0 within its stack.

        Returns:
            Booleans, broadcastable to ``scores``: in each row exactly min(allowance, visible keys) are True (fewer
            where the policy itself gives keys a merit of -inf), and a smaller allowance marks a subset.

        Raises:
            ValueError: If a merit is NaN, or the budget does not fit the shape.
        """
        scores = scores.detach()
        n_visible = visible.expand(*visible.shape[:-1], scores.shape[-1]).sum(-1, keepdim=True)
        n_visible = n_visible.expand(*scores.shape[:-1], 1)
        limit = budget.allowance(n_visible, layer)
        everything = bool(visible.all())
        seen = scores if everything else scores.masked_fill(~visible, -torch.inf)
        merit = self.merit(seen, layer)
        if merit is not seen and not everything:
            merit = merit.masked_fill(~visible, -torch.inf)
        if bool((limit >= n_visible).all()):
            return merit != -torch.inf
        try:
            return keep_largest(merit, limit)
        except ValueError as error:
            raise ValueError(
                f"layer {layer} has attention scores that are not numbers (NaN), so no key can be preferred; "
                "look for NaN or infinity in the model's weights and inputs."
            ) from error


@final
@dataclass(frozen=True, slots=True)
class TopK(Policy):
    """The highest logits. Exact top-k still scores every key: it saves reads, not the products that rank them."""

    @override
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        return scores


@final
@dataclass(frozen=True, slots=True)
class RandomK(Policy):
    """Any keys: the control arm. What changes under this policy too is arithmetic, not behaviour.

    The merit is a hash of (seed, layer, head, position of the query, key), so it is the same for every row of a batch,
    with and without a key cache, and on every device. Positions count padding, and hold as long as the cache keeps
    every key (a sliding-window cache forgets how many it dropped).
    """

    seed: int = 0

    @override
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        _, n_heads, n_queries, n_keys = scores.shape

        def count(n: int, start: int = 0) -> Tensor:
            return torch.arange(start, start + n, device=scores.device)

        state = torch.full((1,), self.seed & _UINT32, device=scores.device)
        state = _scramble(_scramble(state ^ (self.seed >> 32 & _UINT32)) ^ layer)
        state = _scramble(state ^ count(n_heads).view(1, -1, 1, 1))
        state = _scramble(state ^ count(n_queries, n_keys - n_queries).view(1, 1, -1, 1))
        state = _scramble(state ^ count(n_keys))
        return (state >> 8).float()  # 24 bits: exact in float32


@final
@dataclass(frozen=True, slots=True)
class FirstK(Policy):
    """The first keys the query sees."""

    @override
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        return -torch.arange(scores.shape[-1], device=scores.device, dtype=torch.float32).view(1, 1, 1, -1)


@final
@dataclass(frozen=True, slots=True)
class SinkRecent(Policy):
    """The first ``sinks`` keys the query sees, then the most recent ones.

    References:
        Xiao et al. (2024), "Efficient Streaming Language Models with Attention Sinks", ICLR.

    Raises:
        ValueError: If ``sinks`` is negative.
    """

    sinks: int = 4

    def __post_init__(self) -> None:
        if self.sinks < 0:
            raise ValueError(f"sinks must be at least 0, got {self.sinks}.")

    @override
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        n_keys = scores.shape[-1]
        place = torch.arange(n_keys, device=scores.device, dtype=torch.float32)
        nth_seen = (scores != -torch.inf).cumsum(-1)  # from 1, so that leading padding is not taken for a sink
        return torch.where(nth_seen <= self.sinks, 2 * n_keys - place, place)


@final
@dataclass(frozen=True, slots=True)
class TopMass(Policy):
    """The fewest highest logits that hold ``mass`` of the softmax, at most the budget.

    Raises:
        ValueError: If ``mass`` is not in (0, 1].
    """

    mass: float = 0.9

    def __post_init__(self) -> None:
        if not 0 < self.mass <= 1:
            raise ValueError(f"mass must be in (0, 1], got {self.mass}.")

    @override
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        if self.mass == 1:
            return scores
        exact = torch.promote_types(scores.dtype, torch.float32)
        ranked, order = scores.to(exact).sort(dim=-1, descending=True, stable=True)
        weights = ranked.softmax(-1)
        enough = weights.cumsum(-1) - weights >= self.mass  # the keys before this one hold the mass already
        return scores.masked_fill(torch.zeros_like(enough).scatter_(-1, order, enough), -torch.inf)


_UINT32 = 0xFFFFFFFF


def _scramble(state: Tensor) -> Tensor:
    """Hash 32-bit integers held in int64 (Wellons' "lowbias32"): every input bit moves every output bit."""
    state = ((state ^ (state >> 16)) * 0x7FEB352D) & _UINT32
    state = ((state ^ (state >> 15)) * 0x846CA68B) & _UINT32
    return state ^ (state >> 16)
