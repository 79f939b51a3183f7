"""How unequally every head shares its attention: the numbers behind the atlas and the economy panel.

Two views of one matrix, never mixed up: **row** takes the statistic of what each query gives and averages over queries;
**received** adds up what each key gets, then takes the statistic once. Zeros count as units. "Content" leaves special
tokens out as queries and as keys and renormalises what is left of each row; a query that read nothing but special
tokens has no distribution left and does not enter the average.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self, final

import torch
from torch import Tensor

from compecon.stats.distribution import ascending, n_richer, without_units, without_zeros
from compecon.stats.inequality import DistributionSummary
from compecon.stats.lorenz import bottom_taken, top_taken

VIEWS = ("row", "received")
TOKENS = ("all", "content")
STATISTICS = (*(f.name for f in fields(DistributionSummary)), "gini_inside")
_CHUNK = 1 << 18  # weights at a time: 1 MB of float32 stays in a core's cache

_MATRICES = 4  # from so many on, sums that differ by row are quicker as a product for each row


def head_statistics(weights: Tensor, visible: Tensor, content: Tensor) -> Tensor:
    """Every statistic of every head: those of `compecon.stats`, from one sort and by fewer passes over the weights.

    Args:
        weights: Attention, shape (..., head, query, key), float32 or float64; 0 for keys that a query may not see.
        visible: What each query may see, bool, shape (query, key).
        content: Tokens that are not special, bool, shape (token,).

    Returns:
        Shape (view, tokens, statistic, ..., head) in the order of ``VIEWS``, ``TOKENS`` and ``STATISTICS``; NaN where
        nothing is left to measure (no content token was read).
    """
    matrices = weights.reshape(-1, *weights.shape[-2:])
    step = max(1, _CHUNK // matrices[0].numel())
    units, left = (_Units.of(visible, kept, weights.dtype) for kept in (torch.ones_like(content), content))
    special = (~content).nonzero().squeeze(-1)
    found = []
    for start in range(0, len(matrices), step):
        part = matrices[start : start + step]
        places = without_zeros(ascending(part))
        everything = inside = _by_view(part, places, units)
        if len(special):
            inside = _by_view(*_content(part, places, content, special), left)
        found.append(torch.stack([everything, inside], dim=1))
    return torch.cat(found, dim=-1).view(len(VIEWS), len(TOKENS), len(STATISTICS), *weights.shape[:-2])


def _content(weights: Tensor, places: Tensor, content: Tensor, special: Tensor) -> tuple[Tensor, Tensor]:
    """Weights with 0 for special keys, and their sorted places, without a second sort where that is quicker."""
    left = weights * content
    if len(special) * places.shape[-1] > len(content) // 2:
        return left, without_zeros(ascending(left))
    return left, without_units(places, weights[..., special])


@final
@dataclass(frozen=True, eq=False)
class _Units:
    """How many units a distribution has, at least 1, as floats of shape (row, 1)."""

    given: Tensor  # the keys a query may see; a single row if they are as many for each
    received: Tensor  # the keys that any query may see, a single row
    counted: Tensor  # the queries that count, bool, shape (query,)

    @classmethod
    def of(cls, visible: Tensor, tokens: Tensor, dtype: torch.dtype) -> Self:
        """Where only ``tokens``, bool, shape (token,), are queries and keys."""
        seen = visible & tokens
        given = seen.sum(dim=-1, keepdim=True).clamp_min(1).to(dtype)
        alike = bool((given == given[:1]).all())
        received = seen[tokens].any(dim=0).sum().clamp_min(1).to(dtype).view(1, 1)
        return cls(given[:1] if alike else given, received, tokens)


def _by_view(weights: Tensor, places: Tensor, units: _Units) -> Tensor:
    """Shape (view, statistic, matrix) of weights (matrix, query, key), whose rows are sorted in ``places``."""
    held = weights.sum(dim=-1) * units.counted
    reads = held > 0
    row = _statistics(places, held, units.given).where(reads, 0.0).sum(dim=-1) / reads.sum(dim=-1)
    each = torch.where(reads, 1 / held, 0).unsqueeze(1)  # every query gives the same in the received view
    received = _product(each, weights)
    return torch.stack([row, _statistics(ascending(received), received.sum(dim=-1), units.received).squeeze(-1)])


def _statistics(places: Tensor, held: Tensor, n_units: Tensor) -> Tensor:
    """Shape (statistic, matrix, row) of amounts (matrix, row, place) that rise in each row, and of what a row holds."""
    ranks = (2.0 * n_richer(places) + 1.0).expand(len(n_units), -1)
    taken = torch.stack([ranks, top_taken(places, n_units, 0.1), bottom_taken(places, n_units, 0.5)], dim=-1)
    ranked, top, bottom = (_sums(places, taken) / held.unsqueeze(-1)).unbind(dim=-1)
    logs = places.clamp_min(torch.finfo(places.dtype).tiny).log_().mul_(places).sum(dim=-1)
    n = n_units.squeeze(-1)
    gini = (1.0 - ranked / n).clamp_min(0.0)  # rounding may leave -1e-7
    entropy = (held.log() - logs / held).clamp_min(0.0)
    summary = DistributionSummary(
        gini=gini,
        gini_small_sample=gini * n / (n - 1.0).clamp_min(1.0),
        entropy=entropy,
        effective_number=entropy.exp(),
        herfindahl=(torch.linalg.vector_norm(places, dim=-1) / held).square(),
        top_share_10=top,
        bottom_share_50=bottom,
    )
    # Zeros only add units at the bottom: G = 1 - (k / n)(1 - G_inside), so a sort of what is read can be spared.
    inside = 1 - (1 - gini) * n / places.sign().sum(dim=-1)
    found = torch.stack([*(getattr(summary, f.name) for f in fields(summary)), inside])
    return found.masked_fill(held == 0, torch.nan)


def _sums(places: Tensor, weights: Tensor) -> Tensor:
    """Weighted sums over the places of a row, shape (matrix, row, sum); weights are (row or 1, place, sum)."""
    if len(weights) == 1:
        return _product(places, weights)
    if len(places) < _MATRICES:
        return torch.stack([(places * one).sum(dim=-1) for one in weights.unbind(dim=-1)], dim=-1)
    return _product(places.transpose(0, 1), weights).transpose(0, 1)


def _product(one: Tensor, other: Tensor) -> Tensor:
    """Of matrices; not as such on a GPU, where it may run in TF32."""
    return one @ other if one.device.type == "cpu" else (one.unsqueeze(-1) * other.unsqueeze(-3)).sum(dim=-2)


def moved_attention(weights: Tensor, full: Tensor) -> Tensor:
    """How much of its attention each head moved: mean total-variation distance of the rows.

    Args:
        weights: Attention under a budget, shape (..., head, query, key).
        full: The same at full budget.

    Returns:
        Shape (..., head), in [0, 1]; 0.3 means that 30% of the mass went to other keys.
    """
    return 0.5 * (weights - full).abs_().sum(dim=-1).mean(dim=-1)
