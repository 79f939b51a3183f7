"""How many budgets of one text go into one forward pass. Loads without torch."""

from __future__ import annotations

MOST_ROWS = 16
_TOKENS = 512  # in one pass: with more, what a layer computes leaves the cache, and a pass for each budget is as fast


def rows_at_once(n_tokens: int) -> int:
    """Budgets of a text of so many tokens, at least 1, that run together fastest; this bounds a sweep's memory too.

    Examples:
        >>> [rows_at_once(n) for n in (8, 32, 64, 128, 512)]
        [16, 16, 8, 4, 1]
    """
    return max(1, min(MOST_ROWS, _TOKENS // n_tokens))
