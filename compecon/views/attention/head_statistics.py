"""How unequally every head shares its attention: the numbers behind the atlas and the economy panel.

Two views of one matrix, never mixed up: **row** takes the statistic of what each query gives and averages over queries;
**received** adds up what each key gets, then takes the statistic once. Zeros count as units. "Content" leaves special
tokens out as queries and as keys and renormalises what is left of each row; a query that read nothing but special
tokens has no distribution left and does not enter the average.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import torch
from torch import Tensor

from compecon.stats.distribution import ascending, n_richer, without_units, without_zeros
from compecon.stats.inequality import DistributionSummary
from compecon.stats.lorenz import bottom_taken, top_taken
from compecon.views.attention.budget_grid import SORTED_CHUNK

VIEWS = ("row", "received")
TOKENS = ("all", "content")
STATISTICS = (*(f.name for f in fields(DistributionSummary)), "gini_inside")
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
    tokens = torch.stack([torch.ones_like(content), content])
    seen = visible & tokens[:, None]
    n_given = seen.sum(dim=-1).clamp_min(1).to(weights.dtype)  # (tokens, query)
    n_received = (seen & tokens[:, :, None]).any(dim=-2).sum(dim=-1).clamp_min(1).to(weights.dtype)  # (tokens,)
    alike = [one[:1] if bool((one == one[0]).all()) else one for one in n_given]
    step = max(1, SORTED_CHUNK // matrices[0].numel())
    given, received = [], []
    for start in range(0, len(matrices), step):
        sums, gets = [], []
        for i, (left, places) in enumerate(_by_tokens(matrices[start : start + step], content)):
            held = left.sum(dim=-1) * tokens[i]
            sums.append(_sums(places, held, alike[i]))
            each = torch.where(held > 0, 1 / held, 0)  # every query gives the same in the received view
            gets.append(_product(each.unsqueeze(1), left))
        given.append(torch.stack(sums, dim=1))
        received.append(torch.cat(gets, dim=1))
    sums_given, keys = torch.cat(given, dim=2), torch.cat(received)
    kinds = sums_given.shape[1]  # both, or one where they are the same
    row = _statistics(sums_given, n_given[:kinds, None])
    reads = sums_given[-1] > 0
    row = row.where(reads, 0.0).sum(dim=-1) / reads.sum(dim=-1)
    n_received = n_received[:kinds]
    column = _statistics(_sums(ascending(keys), keys.sum(dim=-1), n_received), n_received).transpose(1, 2)
    found = torch.stack([row, column]).transpose(1, 2).expand(-1, len(TOKENS), -1, -1)
    return found.reshape(*found.shape[:3], *weights.shape[:-2])


def _by_tokens(weights: Tensor, content: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Weights (matrix, query, key) with their places, of all keys and, if that differs, with 0 for special ones."""
    places = without_zeros(ascending(weights))
    yield weights, places
    special = (~content).nonzero().squeeze(-1)
    if not len(special):
        return
    left = weights * content
    if len(special) * places.shape[-1] > len(content) // 2:
        yield left, without_zeros(ascending(left))
    else:  # quicker than a second sort
        yield left, without_units(places, weights[..., special])


def _sums(places: Tensor, held: Tensor, n_units: Tensor) -> Tensor:
    """What the statistics are made of, shape (sum, matrix, row).

    Args:
        places: Amounts that rise in each row, shape (matrix, row, place).
        held: Their sum, shape (matrix, row); 0 for a row that does not count.
        n_units: Units of each row, shape (row,), or (1,) if they are as many in each.
    """
    n = n_units.unsqueeze(-1)
    ranks = (2.0 * n_richer(places) + 1.0).expand(len(n), -1)
    taken = torch.stack([ranks, top_taken(places, n, 0.1), bottom_taken(places, n, 0.5)], dim=-1)
    logs = places.clamp_min(torch.finfo(places.dtype).tiny).log_().mul_(places).sum(dim=-1)
    others = (logs, torch.linalg.vector_norm(places, dim=-1), places.sign().sum(dim=-1), held)
    return torch.stack([*_weighted(places, taken).unbind(dim=-1), *others])


def _statistics(sums: Tensor, n: Tensor) -> Tensor:
    """Shape (statistic, ...) from `_sums`, shape (sum, ...), and the number of units; NaN for a row that holds 0."""
    ranked, top, bottom, logs, norm, count, held = sums
    gini = (1.0 - ranked / (held * n)).clamp_min(0.0)  # rounding may leave -1e-7
    entropy = (held.log() - logs / held).clamp_min(0.0)
    summary = DistributionSummary(
        gini=gini,
        gini_small_sample=gini * n / (n - 1.0).clamp_min(1.0),
        entropy=entropy,
        effective_number=entropy.exp(),
        herfindahl=(norm / held).square(),
        top_share_10=top / held,
        bottom_share_50=bottom / held,
    )
    # Zeros only add units at the bottom: G = 1 - (k / n)(1 - G_inside), so a sort of what is read can be spared.
    inside = 1 - (1 - gini) * n / count
    found = torch.stack([*(getattr(summary, f.name) for f in fields(summary)), inside])
    return found.masked_fill_(held == 0, torch.nan)


def _weighted(places: Tensor, weights: Tensor) -> Tensor:
    """Sums over the places of a row, shape (matrix, row, sum); weights are (row or 1, place, sum)."""
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
