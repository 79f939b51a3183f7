"""The units of a model in the order in which a growing budget of MACs buys them, and the price of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Self, final

import torch
from torch import Tensor

from compecon.compression.units import UnitMacs, Units

_MOST_TOKENS = 1_000_000
Counts = tuple[tuple[int, int], ...]  # (heads, neurons) of each layer


@final
@dataclass(frozen=True, eq=False)
class PriceList:
    """What a budget buys first, and what next, up to the whole model.

    A column is the heads of a layer (2 × layer) or its neurons (2 × layer + 1). Within a column, units are bought in
    the order in which the model holds them: what any budget buys is the beginning of each column.

    Attributes:
        columns: The column of each unit, in the order of purchase; int64, shape (unit,).
        values: What each was worth when it was ordered, at least 0; float64, shape (unit,).
        costs: MACs of a unit of each column; float64, shape (column,).
        dense: MACs that budgets are shares of, as of `UnitMacs`; above 0.
        bought: For each budget that was trained, how many units it buys; from the largest budget to the smallest.
        n_tokens: Length of the text at which MACs are counted.
    """

    columns: Tensor
    values: Tensor
    costs: Tensor
    dense: float
    bought: Mapping[float, int]
    n_tokens: int

    def __post_init__(self) -> None:
        n_units, n_columns = len(self.columns), len(self.costs)
        if n_columns % 2 or not n_columns or len(self.values) != n_units or not n_units:
            raise ValueError(
                f"a price list needs a column and a value for each unit, and a cost for heads and for neurons of each "
                f"layer; got {n_units} columns, {len(self.values)} values and {n_columns} costs."
            )
        if not 0 <= int(self.columns.min()) <= int(self.columns.max()) < n_columns:
            raise ValueError(f"a price list has {n_columns} columns, and its units name others.")
        if not bool((self.values.isfinite() & (self.values >= 0)).all()):
            raise ValueError("the values of a price list must be finite and at least 0.")
        if not bool((self.costs.isfinite() & (self.costs > 0)).all()):
            raise ValueError("the costs of a price list must be finite and above 0.")
        if not 1 <= self.n_tokens <= _MOST_TOKENS:
            raise ValueError(f"the text of a price list must have 1 to {_MOST_TOKENS:,} tokens, got {self.n_tokens:,}.")
        if not float(self._spent[-1]) <= self.dense < math.inf:
            raise ValueError("the units of a price list cost more than those of the dense model.")
        self._check_bought()

    def _check_bought(self) -> None:
        budgets = list(self.bought)
        if not budgets or any(larger <= smaller for larger, smaller in pairwise(budgets)):
            raise ValueError(f"the trained budgets of a price list must fall, got {budgets}.")
        for budget, number in self.bought.items():
            if not 0 < budget <= 1 or not 0 < number <= len(self.columns) or self.share(number) > budget:
                raise ValueError(f"a price list says that {budget:g} buys {number} units, which it does not.")
        if any(self.bought[larger] <= self.bought[smaller] for larger, smaller in pairwise(budgets)):
            raise ValueError("a larger budget of a price list buys no more units than a smaller one.")
        merit = self.values / self.costs[self.columns]
        for begin, end in pairwise((0, *sorted(self.bought.values()), len(merit))):
            step = merit[begin:end]
            if bool((step[1:] > step[:-1]).any()):
                raise ValueError("the units of a price list are not in the order of their value per MAC.")

    @classmethod
    def of(cls, values: Units, macs: UnitMacs, kept: Mapping[float, Units], n_tokens: int) -> tuple[Self, Units]:
        """Order the units of a model: those of the smallest size first, and by value per MAC within each step of size.

        Args:
            values: What each unit is worth, at least 0.
            macs: What each costs; the same for all heads of a layer, and for all its neurons.
            kept: For each budget, from the largest to the smallest, which units it keeps (True or 1); each of these is
                a part of the one before.
            n_tokens: Length at which MACs are counted.

        Returns:
            The list; and the place in the model of each column's first, second, ... unit, to rearrange the model by.
        """
        sizes = sum((keep.joined() != 0).long() for keep in kept.values())
        merit = values.joined().double() / macs.joined().double()
        by_merit = merit.argsort(descending=True, stable=True)
        order = by_merit[torch.as_tensor(sizes)[by_merit].argsort(descending=True, stable=True)]
        places = [2 * layer for layer in range(len(macs.heads))] + [2 * layer + 1 for layer in range(len(macs.heads))]
        parts = (*macs.heads, *macs.neurons)
        of_unit = torch.cat([torch.full((len(part),), place) for place, part in zip(places, parts, strict=True)])
        costs = torch.ones(len(parts), dtype=torch.float64)  # of a column without units: never paid
        for place, part in zip(places, parts, strict=True):
            if len(part):
                costs[place] = part[0]
        columns = of_unit[order]
        bought = {budget: int((keep.joined() != 0).sum()) for budget, keep in kept.items()}
        rank = torch.empty_like(order)
        rank[order] = torch.arange(len(order))
        arranged = macs.split(rank).map(lambda part: part.argsort())
        return cls(columns, values.joined().double()[order], costs, macs.dense, bought, n_tokens), arranged

    @cached_property
    def _spent(self) -> Tensor:
        """MACs of the first one, two, ... units."""
        return self.costs[self.columns].cumsum(0)

    def share(self, number: int) -> float:
        """Share of the MACs (see `UnitMacs`) that the first so many units cost, in [0, 1]."""
        return float(self._spent[number - 1]) / self.dense if number else 0.0

    def number(self, budget: float) -> int:
        """How many units a budget buys: all that it can pay for in their order.

        At a budget that was trained, it is the very size that was trained.

        Raises:
            ValueError: If the budget is not a share from the smallest trained one to 1.
        """
        lowest = min(self.bought)
        if isinstance(budget, bool) or not isinstance(budget, int | float) or not lowest <= budget <= 1:  # NaN too
            raise ValueError(
                f"budget must be a share of the MACs from {lowest:g}, the smallest that was trained, to 1, "
                f"got {budget!r}."
            )
        if budget in self.bought:
            return self.bought[budget]
        trained = max((number for each, number in self.bought.items() if each <= budget), default=0)
        return max(trained, int((self._spent / self.dense <= budget).sum()))

    def counts(self, budget: float) -> Counts:
        """Heads and neurons of each layer that a budget buys; errors as of :meth:`number`."""
        return self.counts_of(self.number(budget))

    def counts_of(self, number: int) -> Counts:
        """Heads and neurons of each layer among the first so many units."""
        found = torch.bincount(self.columns[:number], minlength=len(self.costs)).view(-1, 2)
        return tuple((int(heads), int(neurons)) for heads, neurons in found)

    def price_at(self, budget: float) -> float:
        """Value per MAC of the last unit that a budget buys; errors as of :meth:`number`.

        A unit's value is of the moment when its size was chosen: prices fall as a budget grows from one trained size to
        the next, and may rise where the next one begins.
        """
        last = self.number(budget) - 1
        return float(self.values[last] / self.costs[self.columns[last]])

    def unit_values(self) -> Units:
        """The values by unit, each at its place in the model."""
        return self._by_unit(self.values)

    def unit_costs(self) -> UnitMacs:
        """MACs by unit."""
        costs = self._by_unit(self.costs[self.columns])
        return UnitMacs(costs.heads, costs.neurons, self.dense)

    def kept(self, number: int) -> Units:
        """Whether each unit is among the first so many."""
        return self._by_unit(torch.arange(len(self.columns)) < number)

    def _by_unit(self, listed: Tensor) -> Units:
        parts = [listed[self.columns == column] for column in range(len(self.costs))]
        return Units(tuple(parts[::2]), tuple(parts[1::2]))
