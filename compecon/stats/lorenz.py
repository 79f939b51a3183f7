"""The Lorenz curve, and the shares of the richest and the poorest that are read off it."""

from __future__ import annotations

import torch
from torch import Tensor

from compecon.stats.distribution import ascending, distribution, n_richer


def lorenz_curve(shares: Tensor) -> Tensor:
    """Cumulative share held by the poorest units.

    Args:
        shares: Non-negative amounts, shape (..., unit).

    Returns:
        Shape (..., unit + 1): starts at 0, ends at 1, convex.

    Raises:
        ValueError: If an amount is negative or not finite, or a row sums to 0.

    References:
        Lorenz (1905), "Methods of measuring the concentration of wealth", JASA 9(70).

    Examples:
        >>> lorenz_curve(torch.tensor([1.0, 1.0, 2.0]))
        tensor([0.0000, 0.2500, 0.5000, 1.0000])
    """
    cumulative = ascending(distribution(shares, None).shares).cumsum(dim=-1)
    cumulative = cumulative / cumulative[..., -1:]  # rounding must not move the end away from 1
    return torch.cat([torch.zeros_like(cumulative[..., :1]), cumulative], dim=-1)


def top_share(shares: Tensor, fraction: float, visible: Tensor | None = None) -> Tensor:
    """Share held by the richest `fraction` of the units; the Lorenz curve is interpolated linearly.

    Args:
        shares: Non-negative amounts, shape (..., unit).
        fraction: Part of the units, in [0, 1]. It need not be a whole number of units.
        visible: Which units exist, boolean, broadcastable to `shares`; None for all.

    Returns:
        Shape (...), in [fraction, 1].

    Raises:
        ValueError: If `fraction` is outside [0, 1], an amount is negative or not finite, or a row has no visible unit
            or sums to 0.

    Examples:
        >>> top_share(torch.tensor([1.0, 3.0]), 0.25)
        tensor(0.3750)
    """
    rows = distribution(shares, visible)
    return top_part(ascending(rows.shares), rows.n_units, _checked(fraction))


def bottom_share(shares: Tensor, fraction: float, visible: Tensor | None = None) -> Tensor:
    """Share held by the poorest `fraction` of the units: the Lorenz curve there, interpolated linearly.

    Args:
        shares: Non-negative amounts, shape (..., unit).
        fraction: Part of the units, in [0, 1]. It need not be a whole number of units.
        visible: Which units exist, boolean, broadcastable to `shares`; None for all.

    Returns:
        Shape (...), in [0, fraction].

    Raises:
        ValueError: If `fraction` is outside [0, 1], an amount is negative or not finite, or a row has no visible unit
            or sums to 0.

    Examples:
        >>> bottom_share(torch.tensor([1.0, 3.0]), 0.25)
        tensor(0.1250)
    """
    rows = distribution(shares, visible)
    return bottom_part(ascending(rows.shares), rows.n_units, _checked(fraction))


def top_part(places: Tensor, n_units: Tensor, fraction: float) -> Tensor:
    """As `top_share`, of shares that are sorted already."""
    return (places * top_taken(places, n_units, fraction)).sum(dim=-1)


def bottom_part(places: Tensor, n_units: Tensor, fraction: float) -> Tensor:
    """As `bottom_share`, of shares that are sorted already."""
    return (places * bottom_taken(places, n_units, fraction)).sum(dim=-1)


def top_taken(places: Tensor, n_units: Tensor, fraction: float) -> Tensor:
    """How much of each place is among the richest, in [0, 1]: shape (..., place) for ``n_units`` of shape (..., 1)."""
    return (fraction * n_units - n_richer(places)).clamp(0.0, 1.0)


def bottom_taken(places: Tensor, n_units: Tensor, fraction: float) -> Tensor:
    """How much of each place is among the poorest, likewise."""
    poorer = n_units - 1.0 - n_richer(places)
    return (fraction * n_units - poorer).clamp(0.0, 1.0)


def _checked(fraction: float) -> float:
    if not 0.0 <= fraction <= 1.0:
        raise ValueError(f"fraction must be in [0, 1], got {fraction}.")
    return fraction
