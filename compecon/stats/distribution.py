"""Rows of amounts, checked and made ready for the statistics of `compecon.stats.inequality`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Rows:
    """Distributions."""

    shares: Tensor  # shape (..., unit), summing to 1; what is not a unit holds 0, and an empty row holds 0 everywhere
    n_units: Tensor  # shape (..., 1), broadcastable to the rows, at least 1
    empty: Tensor  # rows without a distribution, shape (...)


def amounts_of(shares: Tensor, visible: Tensor | None) -> Tensor:
    """Checked amounts in float32 or float64, 0 where there is no unit."""
    if shares.ndim == 0 or shares.shape[-1] == 0:
        raise ValueError(f"the last dimension must hold at least one unit, got shape {tuple(shares.shape)}.")
    amounts = shares.to(torch.promote_types(shares.dtype, torch.float32))
    if visible is not None:
        if visible.dtype != torch.bool:
            raise TypeError(f"visible must be a boolean mask, got {visible.dtype}. Compare it with 0 first.")
        amounts = amounts.where(visible, 0.0)
    if bool((amounts < 0).any()):
        raise ValueError(f"amounts must be non-negative, got a minimum of {float(amounts.min()):g}.")
    if not bool(amounts.sum(dim=-1).isfinite().all()):
        raise ValueError("amounts and their sum must be finite, got NaN or inf.")
    return amounts


def distribution(shares: Tensor, visible: Tensor | None, *, allow_empty: bool = False) -> Rows:
    """Amounts as shares; raises ValueError for a row without a unit or with a sum of 0, unless `allow_empty`."""
    amounts = amounts_of(shares, visible)
    total = amounts.sum(dim=-1, keepdim=True)
    if visible is None:
        n_units = total.new_full((1,), amounts.shape[-1])
    else:
        n_units = visible.expand(*visible.shape[:-1], amounts.shape[-1]).sum(dim=-1, keepdim=True).to(amounts.dtype)
    empty = (total == 0).squeeze(-1)
    if not allow_empty and bool(empty.any()):
        if bool((n_units == 0).any()):
            raise ValueError("a row has no visible unit, so no distribution. Leave it out, or use summary(undefined=).")
        raise ValueError("a row of shares sums to 0, so no distribution. Leave it out, or use summary(undefined=).")
    return Rows(amounts / total.where(total > 0, 1.0), n_units.clamp_min(1.0), empty)


def ascending(amounts: Tensor) -> Tensor:
    """Each row from the poorest unit to the richest: what is not a unit comes first, as zeros."""
    if amounts.requires_grad or amounts.device.type != "cpu":
        return amounts.sort(dim=-1).values
    return torch.from_numpy(np.sort(amounts.numpy(), axis=-1))  # vectorised: 20 x torch's sort on rows of 64


def without_zeros(places: Tensor) -> Tensor:
    """Leave out the poorest places that hold nothing in any row: under a budget of 8 of 512 keys, most of them.

    They count as units, but add nothing to any sum, and ranks are counted from the richest place.
    """
    support = int((places.reshape(-1, places.shape[-1]).amax(dim=0) > 0).sum()) if places.numel() else 0
    return places[..., places.shape[-1] - max(1, support) :].contiguous()


def without_units(places: Tensor, amounts: Tensor) -> Tensor:
    """Take units out of rows that are sorted.

    Args:
        places: Amounts that rise in each row, shape (..., place); places with 0 may be missing.
        amounts: Of the units to take out, each of which is one of its row's or 0, shape (..., unit).

    Returns:
        Shape of ``places``: what is left, still rising, with zeros in front.
    """
    for amount in amounts.unbind(dim=-1):
        poorer = torch.nn.functional.pad(places[..., :-1], (1, 0))
        richer = (places > amount.unsqueeze(-1)).to(places.dtype)
        places = torch.lerp(poorer, places, richer)  # exact at 0 and 1, and without a branch at every entry
    return places


def n_richer(places: Tensor) -> Tensor:
    """How many units are richer than each place, (unit,): right for a row of any n, since its units come last."""
    return torch.arange(places.shape[-1] - 1, -1, -1, device=places.device)
