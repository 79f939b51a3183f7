"""Attention seen from its keys: what each receives, and what the largest few hold."""

from __future__ import annotations

import torch
from torch import Tensor

from compecon.stats.distribution import amounts_of, ascending, n_richer


def received(weights: Tensor, visible: Tensor | None = None) -> Tensor:
    """What each key gets: its mean weight over the queries that see anything. The received view of attention.

    A key that a query does not see gets 0 from it, so the first tokens of a causal model receive more even when each
    row is uniform. Pass `visible.any(dim=-2)`, the keys that any query sees, to statistics of the result.

    Args:
        weights: Attention weights, shape (..., query, key).
        visible: Which keys a query sees, boolean, broadcastable to `weights`. Queries that are padding should see
            nothing. None: every query sees every key.

    Returns:
        Shape (..., key), summing to 1 when the visible weights of each query do.

    Raises:
        ValueError: If a weight is negative or not finite, or no query sees anything.

    Examples:
        >>> received(torch.tensor([[1.0, 0.0], [0.5, 0.5]]))
        tensor([0.7500, 0.2500])
    """
    amounts = amounts_of(weights, visible)
    if visible is None:
        return amounts.mean(dim=-2)
    n_queries = visible.any(dim=-1, keepdim=True).expand(*amounts.shape[:-1], 1).sum(dim=-2)
    if not bool((n_queries > 0).all()):
        raise ValueError("no query sees any key, so nothing is received. Leave such heads or texts out.")
    return amounts.sum(dim=-2) / n_queries


def retained_mass(weights: Tensor, keys: int | Tensor) -> Tensor:
    """Mass of the `keys` largest weights of each row: what is left when only those are read.

    Not normalised: a row of attention holds 1, an empty row 0. Reading only these keys, their weights renormalised,
    moves the output by at most 2 (1 - retained mass) times the longest value vector.

    Args:
        weights: Non-negative weights, shape (..., key).
        keys: Keys read, at least 0: one number, or one for each row, broadcastable to (...). Above the number of keys
            it means all.

    Returns:
        Shape (...), in [0, sum of the row].

    Raises:
        ValueError: If a weight is negative or not finite, or `keys` is negative.

    Examples:
        >>> retained_mass(torch.tensor([0.5, 0.25, 0.25]), keys=2)
        tensor(0.7500)
    """
    allowed = torch.as_tensor(keys, device=weights.device)
    if bool((allowed < 0).any()):
        raise ValueError(f"keys must be at least 0, got {int(allowed.min())}.")
    places = ascending(amounts_of(weights, None))
    return (places * (n_richer(places) < allowed.unsqueeze(-1))).sum(dim=-1)
