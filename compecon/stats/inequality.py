"""How unequally a resource is shared: Lorenz, Gini, entropy, effective number, top shares. In torch, differentiable.

A statistic runs over the last dimension (the units) and is batched over the others. Amounts need not sum to 1, and
units that hold nothing count. `visible` is a boolean mask, broadcastable to the amounts (None: all): what lies outside
is not a unit at all, so rows may differ in their number of units n (causal rows, padding, special tokens).
`visible=weights > 0` gives the variant inside the support. float16 and bfloat16 are computed in float32.

All functions raise ValueError for amounts that are negative or not finite. Statistics also raise it for a row without
a distribution (no visible unit, or a sum of 0); `summary` can give such rows a value instead.

Attention has two views. Row view: the statistic of each row (what a query gives), then a mean over queries. Received
view: the statistic of `received(weights)` (what a key gets). They differ, so say which one a number is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class DistributionSummary:
    """Every statistic of a distribution, each of shape (...). Entropy in nats; shares of the top 10 %, bottom 50 %."""

    gini: Tensor
    gini_small_sample: Tensor
    entropy: Tensor
    effective_number: Tensor
    herfindahl: Tensor
    top_share_10: Tensor
    bottom_share_50: Tensor


def summary(shares: Tensor, visible: Tensor | None = None, *, undefined: float | None = None) -> DistributionSummary:
    """All statistics at once, from one sort; equal to the single functions.

    Args:
        shares: Non-negative amounts, shape (..., unit).
        visible: Which units exist, boolean.
        undefined: Value of every statistic in a row without a distribution, say NaN. None: such a row raises.

    Returns:
        The statistics, each of shape (...). Gradients of the filled rows are 0.

    Raises:
        ValueError: If an amount is negative or not finite, or a row has no distribution and `undefined` is None.

    Examples:
        >>> summary(torch.tensor([[1.0, 1.0], [0.0, 0.0]]), undefined=float("nan")).effective_number
        tensor([2., nan])
    """
    rows = _distribution(shares, visible, allow_empty=undefined is not None)
    places = _without_zeros(_ascending(rows.shares))
    nats, plain = _entropy(places), _gini(places, rows.n_units)

    def filled(statistic: Tensor) -> Tensor:
        return statistic if undefined is None else statistic.masked_fill(rows.empty, undefined)

    return DistributionSummary(
        gini=filled(plain),
        gini_small_sample=filled(_small_sample(plain, rows.n_units)),
        entropy=filled(nats),
        effective_number=filled(nats.exp()),
        herfindahl=filled(places.square().sum(dim=-1)),
        top_share_10=filled(_top_share(places, rows.n_units, 0.1)),
        bottom_share_50=filled(_bottom_share(places, rows.n_units, 0.5)),
    )


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
    cumulative = _ascending(_distribution(shares, None).shares).cumsum(dim=-1)
    cumulative = cumulative / cumulative[..., -1:]  # rounding must not move the end away from 1
    return torch.cat([torch.zeros_like(cumulative[..., :1]), cumulative], dim=-1)


def gini(shares: Tensor, visible: Tensor | None = None, *, small_sample: bool = False) -> Tensor:
    """Gini coefficient: twice the area between the Lorenz curve and equality; 0 is perfect equality.

    Args:
        shares: Non-negative amounts, shape (..., unit).
        visible: Which units exist, boolean.
        small_sample: Multiply by n / (n - 1), so that one of n units holding everything scores 1 whatever n is: for
            comparing rows of different length. A single unit scores 0, by convention.

    Returns:
        Shape (...), in [0, 1 - 1 / n], or [0, 1] with `small_sample`.

    Raises:
        ValueError: If an amount is negative or not finite, or a row has no visible unit or sums to 0.

    References:
        Gini (1912), Variabilità e mutabilità. Deltas (2003), "The small-sample bias of the Gini coefficient",
        Review of Economics and Statistics 85(1).

    Examples:
        >>> gini(torch.tensor([0.0, 0.0, 0.0, 1.0]))
        tensor(0.7500)
        >>> gini(torch.tensor([0.0, 0.0, 0.0, 1.0]), small_sample=True)
        tensor(1.)
    """
    rows = _distribution(shares, visible)
    plain = _gini(_ascending(rows.shares), rows.n_units)
    return _small_sample(plain, rows.n_units) if small_sample else plain


def entropy(shares: Tensor, visible: Tensor | None = None, *, base: float = math.e) -> Tensor:
    """Shannon entropy, with 0 log 0 = 0.

    Args:
        shares: Non-negative amounts, shape (..., unit).
        visible: Which units exist, boolean.
        base: Base of the logarithm: e gives nats, 2 gives bits.

    Returns:
        Shape (...), in [0, log n].

    Raises:
        ValueError: If `base` is not above 1, an amount is negative or not finite, or a row has no visible unit or
            sums to 0.

    References:
        Shannon (1948), "A mathematical theory of communication", Bell System Technical Journal 27.

    Examples:
        >>> entropy(torch.tensor([1.0, 1.0, 0.0]), base=2)
        tensor(1.)
    """
    if not base > 1:
        raise ValueError(f"base must be above 1, got {base}.")
    return _entropy(_distribution(shares, visible).shares) / math.log(base)


def effective_number(shares: Tensor, visible: Tensor | None = None) -> Tensor:
    """Number of equally used units with the same Shannon entropy (Hill number of order 1).

    Args:
        shares: Non-negative amounts, shape (..., unit).
        visible: Which units exist, boolean.

    Returns:
        Shape (...), in [1, n], in units.

    Raises:
        ValueError: If an amount is negative or not finite, or a row has no visible unit or sums to 0.

    References:
        Hill (1973), "Diversity and evenness", Ecology 54(2).

    Examples:
        >>> effective_number(torch.tensor([1.0, 0.0, 0.0]))
        tensor(1.)
    """
    return _entropy(_distribution(shares, visible).shares).exp()


def herfindahl(shares: Tensor, visible: Tensor | None = None) -> Tensor:
    """Herfindahl-Hirschman index: the sum of squared shares. Its inverse is the Hill number of order 2.

    Args:
        shares: Non-negative amounts, shape (..., unit).
        visible: Which units exist, boolean.

    Returns:
        Shape (...), in [1 / n, 1].

    Raises:
        ValueError: If an amount is negative or not finite, or a row has no visible unit or sums to 0.

    References:
        Hirschman (1964), "The paternity of an index", American Economic Review 54(5).

    Examples:
        >>> herfindahl(torch.tensor([1.0, 1.0]))
        tensor(0.5000)
    """
    return _distribution(shares, visible).shares.square().sum(dim=-1)


def top_share(shares: Tensor, fraction: float, visible: Tensor | None = None) -> Tensor:
    """Share held by the richest `fraction` of the units; the Lorenz curve is interpolated linearly.

    Args:
        shares: Non-negative amounts, shape (..., unit).
        fraction: Part of the units, in [0, 1]. It need not be a whole number of units.
        visible: Which units exist, boolean.

    Returns:
        Shape (...), in [fraction, 1].

    Raises:
        ValueError: If `fraction` is outside [0, 1], an amount is negative or not finite, or a row has no visible unit
            or sums to 0.

    Examples:
        >>> top_share(torch.tensor([1.0, 3.0]), 0.25)
        tensor(0.3750)
    """
    rows = _distribution(shares, visible)
    return _top_share(_ascending(rows.shares), rows.n_units, _checked(fraction))


def bottom_share(shares: Tensor, fraction: float, visible: Tensor | None = None) -> Tensor:
    """Share held by the poorest `fraction` of the units: the Lorenz curve there, interpolated linearly.

    Args:
        shares: Non-negative amounts, shape (..., unit).
        fraction: Part of the units, in [0, 1]. It need not be a whole number of units.
        visible: Which units exist, boolean.

    Returns:
        Shape (...), in [0, fraction].

    Raises:
        ValueError: If `fraction` is outside [0, 1], an amount is negative or not finite, or a row has no visible unit
            or sums to 0.

    Examples:
        >>> bottom_share(torch.tensor([1.0, 3.0]), 0.25)
        tensor(0.1250)
    """
    rows = _distribution(shares, visible)
    return _bottom_share(_ascending(rows.shares), rows.n_units, _checked(fraction))


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
    places = _ascending(_amounts(weights, None))
    return (places * (_richer(places) < allowed.unsqueeze(-1))).sum(dim=-1)


def received(weights: Tensor, visible: Tensor | None = None) -> Tensor:
    """What each key gets: its mean weight over the queries that see anything. The received view of attention.

    A key that a query does not see gets 0 from it, so the first tokens of a causal model receive more even when each
    row is uniform. Statistics of the result should be told which keys anybody sees: `visible.any(dim=-2)`.

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
    amounts = _amounts(weights, visible)
    if visible is None:
        return amounts.mean(dim=-2)
    n_queries = visible.any(dim=-1, keepdim=True).expand(*amounts.shape[:-1], 1).sum(dim=-2)
    if not bool((n_queries > 0).all()):
        raise ValueError("no query sees any key, so nothing is received. Leave such heads or texts out.")
    return amounts.sum(dim=-2) / n_queries


@dataclass(frozen=True, slots=True)
class _Rows:
    shares: Tensor  # (..., unit), summing to 1; what is not a unit holds 0, and an empty row holds 0 everywhere
    n_units: Tensor  # (..., 1), broadcastable to the rows, at least 1
    empty: Tensor  # (...)


def _amounts(shares: Tensor, visible: Tensor | None) -> Tensor:
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


def _distribution(shares: Tensor, visible: Tensor | None, *, allow_empty: bool = False) -> _Rows:
    amounts = _amounts(shares, visible)
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
    return _Rows(amounts / total.where(total > 0, 1.0), n_units.clamp_min(1.0), empty)


def _ascending(amounts: Tensor) -> Tensor:
    """Each row from the poorest unit to the richest: what is not a unit comes first, as zeros."""
    if amounts.requires_grad or amounts.device.type != "cpu":
        return amounts.sort(dim=-1).values
    return torch.from_numpy(np.sort(amounts.numpy(), axis=-1))  # vectorised: 20 x torch's sort on rows of 64


def _without_zeros(places: Tensor) -> Tensor:
    """Leave out the poorest places that hold nothing in any row: under a budget of 8 of 512 keys, most of them.

    They count as units, but add nothing to any sum, and ranks are counted from the richest place.
    """
    support = int((places > 0).sum(dim=-1).max()) if places.numel() else 0
    return places[..., places.shape[-1] - max(1, support) :]


def _richer(places: Tensor) -> Tensor:
    """How many units are richer than each place, (unit,): right for a row of any n, since its units come last."""
    return torch.arange(places.shape[-1] - 1, -1, -1, device=places.device)


def _gini(places: Tensor, n_units: Tensor) -> Tensor:
    # sum |x_i - x_j| / (2 n sum x), by rank. Rounding may leave -1e-7 at equality, which is the minimum: 0.
    weighted = (places * (2.0 * _richer(places) + 1.0)).sum(dim=-1)  # not a matmul: those may run in TF32
    return (1.0 - weighted / n_units.squeeze(-1)).clamp_min(0.0)


def _small_sample(plain: Tensor, n_units: Tensor) -> Tensor:
    n = n_units.squeeze(-1)
    return plain * n / (n - 1.0).clamp_min(1.0)


def _entropy(shares: Tensor) -> Tensor:
    log_share = shares.clamp_min(torch.finfo(shares.dtype).tiny).log()  # keeps the gradient finite at exactly 0
    return 0.0 - (shares * log_share).sum(dim=-1)  # a plain minus would show -0 for a single unit


def _top_share(places: Tensor, n_units: Tensor, fraction: float) -> Tensor:
    taken = (fraction * n_units - _richer(places)).clamp(0.0, 1.0)  # how much of each unit counts
    return (places * taken).sum(dim=-1)


def _bottom_share(places: Tensor, n_units: Tensor, fraction: float) -> Tensor:
    poorer = n_units - 1.0 - _richer(places)
    return (places * (fraction * n_units - poorer).clamp(0.0, 1.0)).sum(dim=-1)


def _checked(fraction: float) -> float:
    if not 0.0 <= fraction <= 1.0:
        raise ValueError(f"fraction must be in [0, 1], got {fraction}.")
    return fraction
