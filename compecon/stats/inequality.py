"""How unequally a resource is shared: Lorenz, Gini, entropy, effective number, top shares. In torch, differentiable.

A statistic runs over the last dimension (the units) and is batched over the others. Amounts need not sum to 1, and
units that hold nothing count. `visible` is a boolean mask, broadcastable to the amounts (None: all): what lies outside
is not a unit at all, so rows may differ in their number of units n (causal rows, padding, special tokens).
`visible=weights > 0` gives the variant inside the support. float16 and bfloat16 are computed in float32.

All functions raise ValueError for amounts that are negative or not finite. Statistics also raise it for a row without
a distribution (no visible unit, or a sum of 0); `summary` can give such rows a value instead.

Attention has two views. Row view: the statistic of each row (what a query gives), then a mean over queries. Received
view: the statistic of `compecon.stats.received(weights)` (what a key gets). They differ, so say which one a number is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from compecon.stats.distribution import ascending, distribution, n_richer, without_zeros
from compecon.stats.lorenz import bottom_part, top_part


@dataclass(frozen=True, slots=True)
class DistributionSummary:
    """Every statistic of a distribution, each of shape (...).

    Attributes:
        gini: Gini coefficient, in [0, 1 - 1 / n].
        gini_small_sample: The same times n / (n - 1), in [0, 1].
        entropy: Shannon entropy in nats, in [0, log n].
        effective_number: Its exponential, in [1, n].
        herfindahl: Sum of squared shares, in [1 / n, 1].
        top_share_10: Share held by the richest 10% of the units.
        bottom_share_50: Share held by the poorest half.

    Examples:
        >>> summary(torch.tensor([0.0, 0.0, 0.0, 1.0])).bottom_share_50
        tensor(0.)
    """

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
        visible: Which units exist, boolean, broadcastable to `shares`; None for all.
        undefined: Value of every statistic in a row without a distribution, say NaN. None: such a row raises.

    Returns:
        The statistics, each of shape (...). Gradients of the filled rows are 0.

    Raises:
        ValueError: If an amount is negative or not finite, or a row has no distribution and `undefined` is None.

    Examples:
        >>> summary(torch.tensor([[1.0, 1.0], [0.0, 0.0]]), undefined=float("nan")).effective_number
        tensor([2., nan])
    """
    rows = distribution(shares, visible, allow_empty=undefined is not None)
    places = without_zeros(ascending(rows.shares))
    nats, plain = _entropy(places), _gini(places, rows.n_units)

    def filled(statistic: Tensor) -> Tensor:
        return statistic if undefined is None else statistic.masked_fill(rows.empty, undefined)

    return DistributionSummary(
        gini=filled(plain),
        gini_small_sample=filled(_small_sample(plain, rows.n_units)),
        entropy=filled(nats),
        effective_number=filled(nats.exp()),
        herfindahl=filled(places.square().sum(dim=-1)),
        top_share_10=filled(top_part(places, rows.n_units, 0.1)),
        bottom_share_50=filled(bottom_part(places, rows.n_units, 0.5)),
    )


def gini(shares: Tensor, visible: Tensor | None = None, *, small_sample: bool = False) -> Tensor:
    """Gini coefficient: twice the area between the Lorenz curve and equality; 0 is perfect equality.

    Args:
        shares: Non-negative amounts, shape (..., unit).
        visible: Which units exist, boolean, broadcastable to `shares`; None for all.
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
    rows = distribution(shares, visible)
    plain = _gini(ascending(rows.shares), rows.n_units)
    return _small_sample(plain, rows.n_units) if small_sample else plain


def entropy(shares: Tensor, visible: Tensor | None = None, *, base: float = math.e) -> Tensor:
    """Shannon entropy, with 0 log 0 = 0.

    Args:
        shares: Non-negative amounts, shape (..., unit).
        visible: Which units exist, boolean, broadcastable to `shares`; None for all.
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
    return _entropy(distribution(shares, visible).shares) / math.log(base)


def effective_number(shares: Tensor, visible: Tensor | None = None) -> Tensor:
    """Number of equally used units with the same Shannon entropy (Hill number of order 1).

    Args:
        shares: Non-negative amounts, shape (..., unit).
        visible: Which units exist, boolean, broadcastable to `shares`; None for all.

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
    return _entropy(distribution(shares, visible).shares).exp()


def herfindahl(shares: Tensor, visible: Tensor | None = None) -> Tensor:
    """Herfindahl-Hirschman index: the sum of squared shares. Its inverse is the Hill number of order 2.

    Args:
        shares: Non-negative amounts, shape (..., unit).
        visible: Which units exist, boolean, broadcastable to `shares`; None for all.

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
    return distribution(shares, visible).shares.square().sum(dim=-1)


def _gini(places: Tensor, n_units: Tensor) -> Tensor:
    # sum |x_i - x_j| / (2 n sum x), by rank. Rounding may leave -1e-7 at equality, which is the minimum: 0.
    weighted = (places * (2.0 * n_richer(places) + 1.0)).sum(dim=-1)  # not a matmul: those may run in TF32
    return (1.0 - weighted / n_units.squeeze(-1)).clamp_min(0.0)


def _small_sample(plain: Tensor, n_units: Tensor) -> Tensor:
    n = n_units.squeeze(-1)
    return plain * n / (n - 1.0).clamp_min(1.0)


def _entropy(shares: Tensor) -> Tensor:
    log_share = shares.clamp_min(torch.finfo(shares.dtype).tiny).log()  # keeps the gradient finite at exactly 0
    return 0.0 - (shares * log_share).sum(dim=-1)  # a plain minus would show -0 for a single unit
