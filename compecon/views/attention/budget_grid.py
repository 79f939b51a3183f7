"""Which budgets to compute, and how much of the attention to send. Without torch: the page plans with it too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from compecon.attention.batching import rows_at_once

N_GRID = 16
EVERY_BUDGET_TOKENS = 64  # up to here the budgets between those of the grid are computed too
MAX_TOKENS = 512
SENT_BYTES = 48_000_000  # of attention for one text; above, matrices are sent a layer or a head at a time
STATISTICS_CHUNK = 1 << 20  # weights whose statistics are computed together: 4 MB of float32
SORTED_CHUNK = 1 << 18  # weights that are sorted and summed at a time: 1 MB stays in a core's cache
_HALF, _FLOAT = 2, 4  # bytes
_WIDTHS = 12  # of the model, that a layer holds at once: a feed-forward part before and after its function, and others
_COPIES = 5  # of a chunk: sorted, without special tokens, sorted again, logarithms, and a product
_ENCODING = 3  # copies of a frame while it becomes bytes


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
    one_head = n_tokens**2 * _HALF * _n_budgets(n_tokens)
    if one_head * n_layers * n_heads <= SENT_BYTES:
        return Scope()
    return Scope(layer) if one_head * n_heads <= SENT_BYTES else Scope(layer, head)


def peak_bytes(
    n_tokens: int,
    n_layers: int,
    n_heads: int,
    *,
    kept: Sequence[int] | None = None,
    hidden: int = 0,
    vocabulary: int = 0,
) -> int:
    """Memory that one text's stream takes at its peak beside the model, about: what is allocated at once, summed up.

    Args:
        n_tokens: Of the text.
        n_layers: Of the model.
        n_heads: Of a layer before any was removed.
        kept: Heads left in each layer; None for all.
        hidden: Width of the model; 0 leaves its activations out.
        vocabulary: Scores a token that the model gives, for a language model; 0 leaves its output out.
    """
    rows, matrix = rows_at_once(n_tokens), n_tokens**2
    there = (n_heads,) * n_layers if kept is None else kept
    layer = _FLOAT * max(there) * matrix  # weights of the widest under one budget
    recorded = (1 + rows) * _FLOAT * sum(there) * matrix  # full budget, kept to compare with, and one forward pass
    activations = rows * pass_bytes(n_tokens, hidden=hidden, vocabulary=vocabulary)
    output = 2 * _FLOAT * n_tokens * vocabulary  # log-probabilities, and what they are made of
    at_once = min(rows, max(1, STATISTICS_CHUNK // (max(1, max(there)) * matrix)))  # budgets of a layer
    statistics = 2 * at_once * layer + _COPIES * _FLOAT * max(SORTED_CHUNK, matrix)
    scope = scope_for(n_tokens, n_layers, n_heads)
    layers, heads = scope.extent(n_layers, n_heads)
    frame = _HALF * len(layers) * len(heads) * matrix
    sent = (_n_budgets(n_tokens) + rows + _ENCODING) * frame  # what was sent is kept for whoever asks again
    freed = layer * rows  # torn by smaller pieces, the block of a layer that was freed does not serve the next one
    return recorded + activations + output + statistics + sent + freed


def pass_bytes(n_tokens: int, *, hidden: int, vocabulary: int) -> int:
    """Memory of one row of a forward pass that records nothing, about; arguments as of `peak_bytes`."""
    return _FLOAT * n_tokens * (_WIDTHS * hidden + vocabulary)


def _n_budgets(n_tokens: int) -> int:
    return n_tokens if n_tokens <= EVERY_BUDGET_TOKENS else len(budget_grid(n_tokens))
