"""Which budgets to compute, and how much of the attention to send. Without torch: the page plans with it too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from compecon.attention.batching import rows_at_once

N_GRID = 16
EVERY_BUDGET_TOKENS = 64  # up to here the budgets between those of the grid are computed too
MAX_TOKENS = 512
SENT_BYTES = 48_000_000  # of attention for one text; above, matrices are sent a layer or a head at a time
_BYTES = 2  # float16


def budget_grid(n_tokens: int) -> tuple[int, ...]:
    """Budgets worth computing: all up to 16 tokens, then 16 that grow by about the same ratio.

    Returns:
        Ascending keys per query, from 1 to ``n_tokens``.

    Raises:
        ValueError: If there is no token.
    """
    if n_tokens < 1:
        raise ValueError(f"a grid of budgets needs at least 1 token, got {n_tokens}.")
    if n_tokens <= N_GRID:
        return tuple(range(1, n_tokens + 1))
    grid: set[int] = set()
    points = N_GRID
    while len(grid) < N_GRID:  # small budgets round to the same integer: ask for more points until 16 are distinct
        grid = {int(k) for k in np.rint(np.geomspace(1, n_tokens, points))}
        points += 1
    return tuple(sorted(grid))


@final
@dataclass(frozen=True)
class Scope:
    """Which heads' matrices travel: all of them, one layer's, or one head's."""

    layer: int | None = None  # only this layer; None for all
    head: int | None = None  # only this head of that layer; None for all

    def extent(self, n_layers: int, n_heads: int) -> tuple[list[int], list[int]]:
        """The layers and heads that are sent."""
        layers = list(range(n_layers)) if self.layer is None else [self.layer]
        return layers, list(range(n_heads)) if self.head is None else [self.head]


def scope_for(n_tokens: int, n_layers: int, n_heads: int, *, layer: int = 0, head: int = 0) -> Scope:
    """The widest scope whose matrices, over all budgets, stay under 48 MB."""
    n_budgets = n_tokens if n_tokens <= EVERY_BUDGET_TOKENS else len(budget_grid(n_tokens))
    one_head = n_tokens**2 * _BYTES * n_budgets
    if one_head * n_layers * n_heads <= SENT_BYTES:
        return Scope()
    return Scope(layer) if one_head * n_heads <= SENT_BYTES else Scope(layer, head)


def peak_bytes(n_tokens: int, n_layers: int, n_heads: int) -> int:
    """Memory that one sweep holds at once, about: float32 attention of every layer, for each row of a batch."""
    rows = rows_at_once(n_tokens)
    return 4 * 3 * rows * n_layers * n_heads * n_tokens**2  # weights, their sorted copy, statistics
