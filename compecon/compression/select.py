"""Which units a budget of MACs buys, once each has a value.

Every rule breaks ties alike: heads before neurons, then the earlier layer, then the lower index.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, final

import torch
from torch import Tensor

from compecon.compression.units import UnitMacs, Units

Rule = Callable[[Units, UnitMacs, float], Units]  # (importance, macs, target) -> kept or not


def fixed_share(importance: Units, macs: UnitMacs, target: float) -> Units:
    """Give heads and neurons the same share of their own MACs; neurons also get what is too little for a head."""
    return _shared_alike(importance, macs, _budget(macs.dense, target), target * _slack(macs))


def uniform(importance: Units, macs: UnitMacs, target: float) -> Units:
    """Apply `fixed_share` to each layer by itself: the same widths, up to rounding, in layers that cost the same."""
    share, parts = target * _slack(macs), []
    for index in range(len(macs.heads)):
        costs = _layer(macs, index)
        parts.append(_shared_alike(_layer(importance, index), costs, _budget(float(costs.total()), share), share))
    return Units(tuple(part.heads[0] for part in parts), tuple(part.neurons[0] for part in parts))


def knapsack(importance: Units, macs: UnitMacs, target: float) -> Units:
    """Buy the set of the largest total importance; of equals, the one that spends the most.

    It is the best of all sets, up to rounding of sums: among units of one kind and cost, the most important go first,
    so a set is as good as its numbers of each, and all numbers are tried. Of equally good ones that spend the same,
    the one with the fewest heads stays, those of the first layer counted first.

    Raises:
        ValueError: If heads, or neurons, have more than two costs: layers are alike, but perhaps the last one.

    References:
        Kwon et al. (2022), arXiv 2204.09656, algorithm 1, from no head on, and with a last layer that costs less.
    """
    budget = _budget(macs.dense, target)
    heads, neurons = (
        _by_cost(importance.heads, macs.heads, "head"),
        _by_cost(importance.neurons, macs.neurons, "neuron"),
    )
    other_heads, other_neurons = torch.meshgrid(heads[1].numbers, neurons[1].numbers, indexing="ij")
    best: tuple[float, float, tuple[int, ...]] = (-1.0, -1.0, (0, 0, 0, 0))
    for number in range(len(heads[0].order) + 1):
        spent = number * heads[0].cost + other_heads * heads[1].cost + other_neurons * neurons[1].cost
        fits = spent <= budget
        if not fits.any():
            break
        rest = _affordable(budget, spent, neurons[0].cost).clamp(max=len(neurons[0].order))
        gains = (
            heads[0].gains[number]
            + heads[1].gains[other_heads]
            + (neurons[0].gains[rest.long()] + neurons[1].gains[other_neurons])
        )
        spent += rest * neurons[0].cost
        gain = float(gains[fits].max())
        first = int(spent.where(fits & (gains == gain), -1).argmax())
        tried = gain, float(spent.flatten()[first])
        if tried > best[:2]:
            numbers = number, *(int(each.flatten()[first]) for each in (other_heads, rest, other_neurons))
            best = (*tried, numbers)
    keep = [torch.zeros(sum(map(len, kind)), dtype=torch.bool) for kind in (macs.heads, macs.neurons)]
    for units, number, kind in zip((*heads, *neurons), best[2], (0, 0, 1, 1), strict=True):
        keep[kind][units.order[:number]] = True
    return macs.split(torch.cat(keep))


def select(importance: Units, macs: UnitMacs, target: float, *, rule: Rule = knapsack) -> Units:
    """Choose the units that stay, so that their share of the MACs is at most the target, in (0, 1], and close to it.

    Returns:
        bool, on the CPU; True stays. Within one neuron of the target unless a kind runs out: what is left buys none of
        the neurons that went (by `uniform`: none in its layer).

    Raises:
        ValueError: If the target is out of range, the sizes differ, an importance is negative or not finite, or a cost
            not above 0.
    """
    require_share(target)
    values, prices = (kind.map(lambda part: part.detach().to("cpu", torch.float64)) for kind in (importance, macs))
    costs = UnitMacs(prices.heads, prices.neurons, macs.dense)
    sizes = [[len(part) for part in (*kind.heads, *kind.neurons)] for kind in (values, costs)]
    if sizes[0] != sizes[1]:
        raise ValueError(f"importance and macs must be of the same units, got sizes {sizes[0]} and {sizes[1]}.")
    if not bool(((values.joined() >= 0) & values.joined().isfinite()).all()):
        raise ValueError("importance must be finite and at least 0 for every unit.")
    if not bool((costs.joined() > 0).all()):
        raise ValueError("macs must be above 0 for every unit. Use unit_macs of the same model.")
    return rule(values, costs, target)


def require_share(target: float) -> None:
    """Raise ValueError for a target that is not a share in (0, 1]."""
    if not 0 < target <= 1:
        raise ValueError(f"target must be a share of the MACs in (0, 1], got {target}.")


@final
class _Alike(NamedTuple):
    """Units of one kind that cost the same, by their places among all of the kind."""

    cost: float
    order: Tensor  # places, the most important first
    gains: Tensor  # total importance of the first 0, 1, 2, ...

    @property
    def numbers(self) -> Tensor:
        """How many can be bought."""
        return torch.arange(len(self.gains))


def _by_cost(importance: tuple[Tensor, ...], macs: tuple[Tensor, ...], unit: str) -> tuple[_Alike, _Alike]:
    """Units of one kind by what they cost: as the first of them, and otherwise."""
    values, costs = torch.cat(importance), torch.cat(macs)
    distinct: list[float] = list(dict.fromkeys(costs.tolist()))
    if len(distinct) > 2:
        raise ValueError(
            f"The knapsack rule needs at most two costs of a {unit}, got {sorted(distinct)}. Use fixed_share."
        )
    first, other = (*distinct, 1.0, 1.0)[:2]  # where there is no unit, its cost is not used
    return _alike(values, costs == first, first), _alike(values, costs != first, other)


def _alike(values: Tensor, chosen: Tensor, cost: float) -> _Alike:
    ranked, order = values[chosen].sort(descending=True, stable=True)
    gains = torch.cat([torch.zeros(1, dtype=torch.float64), ranked.cumsum(0)])
    return _Alike(cost, chosen.nonzero().flatten()[order], gains)


def _shared_alike(importance: Units, macs: Units, budget: float, share: float) -> Units:
    """Give heads a share of their own MACs, and neurons the rest of the budget."""
    head_costs, neuron_costs = torch.cat(macs.heads), torch.cat(macs.neurons)
    of_heads = min(budget, _budget(float(head_costs.sum()), share))
    heads = _bought(torch.cat(importance.heads) / head_costs, head_costs, of_heads)
    left = budget - float(head_costs[heads].sum())
    neurons = _bought(torch.cat(importance.neurons) / neuron_costs, neuron_costs, left)
    return macs.split(torch.cat([heads, neurons]))


def _slack(macs: UnitMacs) -> float:
    """By how much a share of the dense model's MACs is larger as a share of the MACs of these units."""
    return macs.dense / (float(macs.total()) or macs.dense)


def _layer(values: Units, index: int) -> Units:
    return Units((values.heads[index],), (values.neurons[index],))


def _budget(total: float, target: float) -> float:
    """The largest spend that floating-point division does not put above the target's share of a total."""
    budget = target * total
    while total and math.nextafter(budget, math.inf) / total <= target:
        budget = math.nextafter(budget, math.inf)
    while total and budget / total > target:
        budget = math.nextafter(budget, 0)
    return budget


def _bought(merit: Tensor, costs: Tensor, budget: float) -> Tensor:
    """Boolean, in the order of merit: whatever still fits."""
    keep = torch.zeros(len(costs), dtype=torch.bool)
    prices: list[float] = costs.tolist()
    spent = 0.0
    for unit in merit.argsort(descending=True, stable=True).tolist():
        if spent + prices[unit] <= budget:
            spent += prices[unit]
            keep[unit] = True
    return keep


def _affordable(budget: float, spent: Tensor, cost: float) -> Tensor:
    """How many units the rest of the budget buys, by the same comparison as everywhere, not by a rounded quotient."""
    number = ((budget - spent) / cost).floor()
    number += spent + (number + 1) * cost <= budget
    return (number - (spent + number * cost > budget).double()).clamp(min=0)
