"""Which units a budget of MACs buys, once each has a value.

Every rule breaks ties alike: heads before neurons, then the earlier layer, then the lower index.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from compecon.compression.units import Units

Rule = Callable[[Units, Units, float], Units]  # (importance, macs, target) -> kept or not


def fixed_share(importance: Units, macs: Units, target: float) -> Units:
    """Give heads and neurons the same share of their own MACs; neurons also get what is too little for a head."""
    head_costs, neuron_costs = torch.cat(macs.heads), torch.cat(macs.neurons)
    heads = _bought(torch.cat(importance.heads) / head_costs, head_costs, _budget(head_costs, target))
    left = _budget(macs.joined(), target) - float(head_costs[heads].sum())
    neurons = _bought(torch.cat(importance.neurons) / neuron_costs, neuron_costs, left)
    return macs.split(torch.cat([heads, neurons]))


def uniform(importance: Units, macs: Units, target: float) -> Units:
    """Apply `fixed_share` to each layer by itself: the same widths everywhere, up to rounding."""
    parts = [fixed_share(_layer(importance, index), _layer(macs, index), target) for index in range(len(macs.heads))]
    return Units(tuple(part.heads[0] for part in parts), tuple(part.neurons[0] for part in parts))


def knapsack(importance: Units, macs: Units, target: float) -> Units:
    """Buy the set of the largest total importance; of equals, the one that spends the most.

    For every number of heads, take the most important and spend the rest on the most important neurons. As all heads
    cost the same, and all neurons, one of these sets is the best of all.

    Raises:
        ValueError: If heads, or neurons, cost different amounts.

    References:
        Kwon et al. (2022), arXiv 2204.09656, algorithm 1, from no head on.
    """
    (head_gains, head_order), (neuron_gains, neuron_order) = map(_gains, (importance.heads, importance.neurons))
    head_cost, neuron_cost = _one_cost(macs.heads, "head"), _one_cost(macs.neurons, "neuron")
    budget = _budget(macs.joined(), target)
    n_heads = torch.arange(len(head_gains), dtype=torch.float64)
    n_heads = n_heads[n_heads * head_cost <= budget]
    n_neurons = _affordable(budget, n_heads * head_cost, neuron_cost).clamp(max=len(neuron_gains) - 1)
    gains = head_gains[n_heads.long()] + neuron_gains[n_neurons.long()]
    spent = n_heads * head_cost + n_neurons * neuron_cost
    best = int(spent.where(gains == gains.max(), -1).argmax())
    keep = torch.zeros(len(head_order) + len(neuron_order), dtype=torch.bool)
    keep[head_order[: int(n_heads[best])]] = True
    keep[len(head_order) + neuron_order[: int(n_neurons[best])]] = True
    return macs.split(keep)


def select(importance: Units, macs: Units, target: float, *, rule: Rule = knapsack) -> Units:
    """Choose the units that stay, so that their share of the MACs is at most the target, in (0, 1], and close to it.

    Returns:
        bool, on the CPU; True stays. Within one neuron of the target, whatever the rule, unless a kind runs out.

    Raises:
        ValueError: If the target is out of range, the sizes differ, an importance is negative or not finite, or a cost
            not above 0.
    """
    require_share(target)
    values, costs = (kind.map(lambda part: part.detach().to("cpu", torch.float64)) for kind in (importance, macs))
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


def _layer(values: Units, index: int) -> Units:
    return Units((values.heads[index],), (values.neurons[index],))


def _budget(costs: Tensor, target: float) -> float:
    """The largest spend that floating-point division does not put above the target's share."""
    total = float(costs.sum())
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


def _gains(values: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Total importance of the best 0, 1, 2, ... units; and their order."""
    ranked, order = torch.cat(values).sort(descending=True, stable=True)
    return torch.cat([torch.zeros(1, dtype=torch.float64), ranked.cumsum(0)]), order


def _one_cost(costs: tuple[Tensor, ...], unit: str) -> float:
    distinct: set[float] = set(torch.cat(costs).tolist())
    if len(distinct) > 1:
        raise ValueError(f"The knapsack rule needs one cost for every {unit}, got {sorted(distinct)}. Use fixed_share.")
    return distinct.pop() if distinct else 1.0  # without any unit the cost is not used


def _affordable(budget: float, spent: Tensor, cost: float) -> Tensor:
    """How many units the rest of the budget buys, by the same comparison as everywhere, not by a rounded quotient."""
    number = ((budget - spent) / cost).floor()
    number += spent + (number + 1) * cost <= budget
    return (number - (spent + number * cost > budget).double()).clamp(min=0)
