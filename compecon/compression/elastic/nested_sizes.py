"""Sizes of a model, each within the one before, chosen by value per MAC."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from compecon.compression.select import knapsack, select
from compecon.compression.units import UnitMacs, Units

LAST_HEADS = 2  # heads of the last layer that every size keeps: with one, trainings at small budgets collapsed


def nested_sizes(
    values: Units, macs: UnitMacs, budgets: Sequence[float], *, inside: Units | None = None
) -> dict[float, Units]:
    """Choose for each budget the most valuable units among those that the budget before it keeps.

    Args:
        values: What each unit is worth, at least 0.
        macs: What each costs.
        budgets: Shares of the MACs (see `UnitMacs`), from the largest to the smallest.
        inside: Units that the first size may choose from; None for all.

    Returns:
        bool for each unit; a budget of 1 keeps all of `inside`.

    Raises:
        ValueError: If a budget does not pay for the two heads of the last layer that every size keeps, or buys no less
            than the one before.
    """
    sizes: dict[float, Units] = {}
    for budget in budgets:
        whole = inside or macs.map(lambda part: torch.ones_like(part).bool())
        kept = _size(values, macs, budget, whole)
        if sizes and torch.equal(kept.joined(), whole.joined()):
            share = float(macs.joined()[whole.joined()].sum()) / macs.dense
            raise ValueError(
                f"a budget of {budget:g} buys the same units as the next larger one, {share:.3g} of the MACs. "
                "Leave one of the two out."
            )
        sizes[budget] = inside = kept
    return sizes


def _size(values: Units, macs: UnitMacs, budget: float, inside: Units) -> Units:
    available = inside.joined()
    sure = _of_last_layer(values, inside).joined()
    costs, worth = macs.joined().double(), values.joined().double()
    left = budget * macs.dense - float(costs[sure].sum())
    if left < 0:
        raise ValueError(
            f"a budget of {budget:g} does not pay for {LAST_HEADS} heads of the last layer, the least there is. "
            f"Choose one of {float(costs[sure].sum()) / macs.dense:.2g} or more."
        )
    pool = available & ~sure
    rest = float(costs[pool].sum())
    kept = sure.clone()
    if rest and left >= rest:
        kept |= pool
    elif rest and left > 0:
        there = _masked(macs, costs, pool)
        prices = UnitMacs(there.heads, there.neurons, macs.dense)
        chosen = select(_masked(values, worth, pool), prices, left / macs.dense, rule=knapsack)
        kept[pool.nonzero().flatten()[chosen.joined()]] = True
    return macs.split(kept)


def _of_last_layer(values: Units, inside: Units) -> Units:
    """The most valuable heads of the last layer."""
    sure = inside.map(torch.zeros_like)
    worth = values.heads[-1].double().where(inside.heads[-1], -torch.inf)
    best = worth.argsort(descending=True, stable=True)[: min(LAST_HEADS, int(inside.heads[-1].sum()))]
    sure.heads[-1][best] = True
    return sure


def _masked(like: Units, flat: Tensor, pool: Tensor) -> Units:
    """The values of the units in a pool, layer by layer."""
    parts = like.split(flat).map(lambda part, there: part[there], like.split(pool))
    return Units(parts.heads, parts.neurons)
