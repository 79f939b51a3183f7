"""Who may be read when there is not enough for all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from compecon.attention.budget import Budget, KeyBudget, PerHead, PerLayer, PerRow, is_real, is_whole
from compecon.attention.selection import keep_largest, sort_descending

__all__ = [
    "Budget",
    "FirstK",
    "KeyBudget",
    "Origin",
    "PerHead",
    "PerLayer",
    "PerRow",
    "Policy",
    "RandomK",
    "SinkRecent",
    "TopK",
    "TopMass",
]


class Origin(NamedTuple):
    """Where a layer's first query and first key stand in the text; not 0 with a key cache."""

    query: int = 0
    key: int = 0


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

    def merit_from(self, scores: Tensor, layer: int, origin: Origin) -> Tensor:  # noqa: ARG002 - for those who need it
        """:meth:`merit` of a policy that must know where in the text queries and keys stand. Others leave it be."""
        return self.merit(scores, layer)

    @final
    def keep(self, scores: Tensor, visible: Tensor, budget: Budget, layer: int, origin: Origin | None = None) -> Tensor:
        """Mark the keys each query reads.

        Args:
            scores: Attention logits, shape (batch, head, query, key).
            visible: True where the query sees the key, broadcastable to ``scores``.
            budget: How many keys each query may read.
            layer: Layer, counted from 0 within its stack.
            origin: Where the first query and the first key stand; unless given, the last query stands at the last key.

        Returns:
            Booleans, broadcastable to ``scores``: in each row exactly min(allowance, visible keys) are True (fewer
            where the policy itself gives keys a merit of -inf), and a smaller allowance marks a subset.

        Raises:
            ValueError: If a merit is NaN, or the budget does not fit the shape or allows less than one key.
        """
        scores = scores.detach()
        limit = _limit(budget, visible, scores.shape, layer)
        everything = bool(visible.all())
        seen = scores if everything else scores.masked_fill(~visible, -torch.inf)
        merit = self.merit_from(seen, layer, _last_to_last(scores) if origin is None else origin)
        if merit is not seen and not everything:
            merit = merit.masked_fill(~visible, -torch.inf)
        return merit != -torch.inf if limit is None else keep_largest(merit, limit)


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
    with and without a key cache of any kind, and on every device. Positions count padding.

    Raises:
        ValueError: If ``seed`` is no whole number.
    """

    seed: int = 0

    def __post_init__(self) -> None:
        if not is_whole(self.seed):
            raise ValueError(f"seed must be a whole number, got {self.seed!r}.")

    @override
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        return self.merit_from(scores, layer, _last_to_last(scores))

    @override
    def merit_from(self, scores: Tensor, layer: int, origin: Origin) -> Tensor:
        _, n_heads, n_queries, n_keys = scores.shape

        def count(n: int, start: int = 0) -> Tensor:
            return torch.arange(start, start + n, dtype=torch.int32, device=scores.device)

        words = [word & _UINT32 for word in (self.seed, self.seed >> 32, layer)]
        state = torch.zeros(1, dtype=torch.int32, device=scores.device)
        for word in words:
            state = _scramble(state ^ (word - (word >> 31 << 32)))
        state = _scramble(state ^ count(n_heads).view(-1, 1, 1))
        state = _scramble(state ^ count(n_queries, origin.query).view(-1, 1))
        merit = torch.empty(1, n_heads, n_queries, n_keys, device=scores.device)
        for head in range(n_heads):  # one at a time: what is hashed stays in the cache
            merit[0, head] = _scramble(state[head] ^ count(n_keys, origin.key))
        return merit


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
        ValueError: If ``sinks`` is no whole number of at least 0.
    """

    sinks: int = 4

    def __post_init__(self) -> None:
        if not (is_whole(self.sinks) and self.sinks >= 0):
            raise ValueError(f"sinks must be a whole number of at least 0, got {self.sinks!r}.")

    @override
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        n_keys = scores.shape[-1]
        place = torch.arange(n_keys, device=scores.device, dtype=torch.float32)
        nth_seen = (scores != -torch.inf).cumsum(
            -1, dtype=torch.int32
        )  # from 1, so that leading padding is not taken for a sink
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
        if not (is_real(self.mass) and 0 < self.mass <= 1):
            raise ValueError(f"mass must be in (0, 1], got {self.mass!r}.")

    @override
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        if self.mass == 1:
            return scores
        weights = sort_descending(scores).softmax(-1, dtype=torch.promote_types(scores.dtype, torch.float32))
        held = weights.cumsum(-1) - weights  # by the keys before this one
        needed = (held < self.mass).sum(-1, keepdim=True).clamp(min=1)
        return scores.masked_fill(~keep_largest(scores, needed), -torch.inf)


_UINT32 = 0xFFFFFFFF


def _last_to_last(scores: Tensor) -> Origin:
    return Origin(scores.shape[-1] - scores.shape[-2])


def _limit(budget: Budget, visible: Tensor, shape: torch.Size, layer: int) -> Tensor | int | None:
    """The limit of each row: one number if that leaves every row what its own does, ``None`` if it binds nowhere."""
    if isinstance(budget, KeyBudget) and budget.keys is not None:  # the common case needs no counting
        return budget.keys if budget.keys < shape[-1] else None
    n_visible = visible.expand(*visible.shape[:-1], shape[-1]).sum(-1, keepdim=True).expand(*shape[:-1], 1)
    limit = budget.allowance(n_visible, layer)
    given, seen = limit.cpu().numpy(), n_visible.cpu().numpy()  # a few integers, decided on in one go
    binds = given < seen
    if not binds.any():
        return None
    binding = np.broadcast_to(given, binds.shape)[binds]
    lowest, highest = int(binding.min()), int(binding.max())
    if lowest < 1:
        raise ValueError(f"a budget must allow at least 1 key a query, got {lowest}.")
    alike = bool((np.minimum(highest, seen) == np.minimum(given, seen)).all())
    return highest if alike else limit.clamp(min=1)


def _scramble(state: Tensor) -> Tensor:
    """Hash 32-bit integers (Wellons' "lowbias32"): every input bit moves every output bit. Products wrap around."""
    state = (state ^ (state >> 16 & 0xFFFF)).mul_(0x7FEB352D)
    state.bitwise_xor_(state >> 15 & 0x1FFFF).mul_(0x846CA68B - (1 << 32))
    return state.bitwise_xor_(state >> 16 & 0xFFFF)
