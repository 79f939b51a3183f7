"""What every policy has in common: it ranks keys, and selection is done once, here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple, final

import numpy as np
import torch
from torch import Tensor

from compecon.attention.budget import Budget, KeyBudget
from compecon.attention.kernel import Hide
from compecon.attention.selection import hide_others, hide_smaller, keep_largest


class Origin(NamedTuple):
    """Where the first query and the first key stand in the text, not at 0 with a key cache; the first head's number."""

    query: int = 0
    key: int = 0
    head: int = 0


class Policy(ABC):
    """An order of merit among keys. A policy only ranks, in :meth:`merit`; selection is done once, here.

    Examples:
        >>> from compecon import KeyBudget, Policy
        >>> class LastK(Policy):
        ...     def merit(self, scores, layer):
        ...         return torch.arange(scores.shape[-1], dtype=torch.float32)
        >>> scores, visible = torch.zeros(1, 1, 1, 4), torch.ones(1, 1, 1, 4, dtype=torch.bool)
        >>> LastK().keep(scores, visible, KeyBudget(keys=1), layer=0).flatten().tolist()
        [False, False, False, True]
    """

    # Whether what a head reads follows from its own scores, its number (`Origin.head`) and the layer's, so that a layer
    # may be worked through a few heads at a time.
    by_head: ClassVar[bool] = False

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

    def merit_from(self, scores: Tensor, layer: int, origin: Origin) -> Tensor:  # noqa: ARG002 - for subclasses that need it
        """:meth:`merit` of a policy that must know where in the text queries and keys stand; override it only then."""
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
        hidden = None if bool(visible.all()) else ~visible
        seen = scores if hidden is None else scores.masked_fill(hidden, -torch.inf)
        merit = self._merit(seen, hidden, layer, last_to_last(scores) if origin is None else origin)
        return merit != -torch.inf if limit is None else keep_largest(merit, limit)

    @final
    def hide(self, visible: Tensor, shape: torch.Size, budget: Budget, layer: int, origin: Origin) -> Hide:
        """As :meth:`keep`, for a kernel that works through a layer in parts: hides the keys that no query reads.

        Args:
            visible: True where the query sees the key, broadcastable to ``shape``.
            shape: That of the layer's scores, (batch, head, query, key).
            budget: How many keys each query may read.
            layer: Layer, counted from 0 within its stack.
            origin: Where the first query and the first key stand.

        Raises:
            ValueError: As :meth:`keep`; for a merit of NaN not yet, but when scores are given.
        """
        limit = _limit(budget, visible, shape, layer)

        def hide(scores: Tensor, hidden: Tensor | None, rows: slice, heads: slice) -> Tensor:
            own = limit.expand(*shape[:-1], 1)[rows, heads] if isinstance(limit, Tensor) else limit
            seen = scores.detach()
            merit = self._merit(seen, hidden, layer, origin._replace(head=heads.start))
            if merit is seen:
                return scores if own is None else hide_smaller(scores, own)
            kept = merit != -torch.inf if own is None else keep_largest(merit, own)
            return hide_others(scores, kept)

        return hide

    @final
    def _merit(self, seen: Tensor, hidden: Tensor | None, layer: int, origin: Origin) -> Tensor:
        merit = self.merit_from(seen, layer, origin)
        return merit if merit is seen or hidden is None else merit.masked_fill(hidden, -torch.inf)


def last_to_last(scores: Tensor) -> Origin:
    """Where they stand if the last query stands at the last key."""
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
        raise ValueError(f"a budget must allow at least 1 key per query, got {lowest}.")
    alike = bool((np.minimum(highest, seen) == np.minimum(given, seen)).all())
    return highest if alike else limit.clamp(min=1)
