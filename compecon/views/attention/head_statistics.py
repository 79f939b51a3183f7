"""How unequally every head shares its attention: the numbers behind the atlas and the economy panel.

Two views of one matrix, never mixed up: **row** takes the statistic of what each query gives and averages over queries;
**received** adds up what each key gets, then takes the statistic once. Zeros count as units. "Content" leaves special
tokens out as queries and as keys and renormalises what is left of each row; a query that read nothing but special
tokens has no distribution left and does not enter the average.
"""

from __future__ import annotations

from dataclasses import fields

import torch
from torch import Tensor

from compecon.stats.inequality import DistributionSummary, summary
from compecon.stats.received_attention import received

VIEWS = ("row", "received")
TOKENS = ("all", "content")
STATISTICS = (*(f.name for f in fields(DistributionSummary)), "gini_inside")


def head_statistics(weights: Tensor, visible: Tensor, content: Tensor) -> Tensor:
    """Every statistic of every head.

    Args:
        weights: Attention, shape (..., head, query, key); each row sums to 1 over the visible keys.
        visible: What each query may see, bool, (..., query, key), broadcastable to ``weights``.
        content: Tokens that are not special, bool, shape (token,).

    Returns:
        Shape (view, tokens, statistic, ..., head) in the order of ``VIEWS``, ``TOKENS`` and ``STATISTICS``; NaN where
        nothing is left to measure (no content token was read).
    """
    everything = _by_view(weights, visible)
    if bool(content.all()):
        return torch.stack([everything, everything], dim=1)
    if not bool(content.any()):
        return torch.stack([everything, torch.full_like(everything, torch.nan)], dim=1)
    kept = (..., content.nonzero(), content.nonzero().squeeze(-1))  # rows and columns
    return torch.stack([everything, _by_view(weights[kept], visible[kept])], dim=1)


def _by_view(weights: Tensor, visible: Tensor) -> Tensor:
    """Shape (view, statistic, ..., head)."""
    row = _statistics(weights, visible).nanmean(dim=-1)
    mass = weights.sum(dim=-1, keepdim=True)
    shares = weights / torch.where(mass > 0, mass, 1.0)
    return torch.stack([row, _statistics(received(shares, visible), visible.any(dim=-2))])


def _statistics(shares: Tensor, visible: Tensor) -> Tensor:
    """Shape (statistic, ...) over the last dim of ``shares``."""
    s = summary(shares, visible, undefined=torch.nan)
    # Zeros only add units at the bottom: G = 1 - (k / n)(1 - G_inside), so the second sort can be spared.
    inside = 1 - (1 - s.gini) * visible.sum(dim=-1) / (shares > 0).sum(dim=-1)
    return torch.stack([*(getattr(s, f.name) for f in fields(s)), inside])


def moved_attention(weights: Tensor, full: Tensor) -> Tensor:
    """How much of its attention each head moved: mean total-variation distance of the rows.

    Args:
        weights: Attention under a budget, shape (..., head, query, key).
        full: The same at full budget.

    Returns:
        Shape (..., head), in [0, 1]; 0.3 means that 30% of the mass went to other keys.
    """
    return 0.5 * (weights - full).abs().sum(dim=-1).mean(dim=-1)
