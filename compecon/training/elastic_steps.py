"""The sizes of a model while they are trained together: which one a step runs, and what a new one consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from compecon.compression.elastic.nested_sizes import nested_sizes
from compecon.compression.elastic.prefix_model import bind, prefix_model, unbound_prefix_model
from compecon.compression.elastic.price_list import PriceList
from compecon.compression.elastic.reorder import reorder
from compecon.compression.shape import CompactShape
from compecon.compression.units import Units, unit_macs

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Worth = Callable[["PreTrainedModel"], Units]  # what each unit of a model is worth to it now


class ElasticSteps:
    """Nested sizes of one model, trained a step at a time.

    When a size is trained for the first time, the units of the smallest one so far are valued anew, and it and all
    smaller ones are chosen within that. The units, and what an optimizer knows of them, are put in the new order.

    Args:
        model: A `Compact...` model; its units are put in order, and its weights trained.
        budgets: Shares of the MACs, from the largest to the smallest.
        schedule: The budget of each step.
        worth: Values the units of a model.
        n_tokens: Length of a text at which MACs are counted.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        budgets: tuple[float, ...],
        schedule: tuple[float, ...],
        worth: Worth,
        n_tokens: int,
    ) -> None:
        self.model, self.budgets, self.schedule, self.worth = model, budgets, schedule, worth
        self.budget = self.smallest = budgets[0]  # of the running step; of all steps so far
        macs, values = unit_macs(model, n_tokens), worth(model)
        self.prices, order = PriceList.of(values, macs, nested_sizes(values, macs, budgets), n_tokens)
        reorder(model, order)
        self._models: dict[float, PreTrainedModel] = {}

    @property
    def share(self) -> float:
        """Share of the MACs (see `UnitMacs`) that the running step's size costs."""
        return self.prices.share(self.prices.bought[self.budget])

    def begin(self, step: int, optimizer: Any) -> None:
        """Make ready for a step, counted from 0."""
        self.budget = self.schedule[step]
        if self.budget < self.smallest:
            self._choose_smaller(optimizer)
            self.smallest = self.budget

    def bound(self) -> PreTrainedModel:
        """The model of this step's size, on the present weights, through which gradients reach the whole."""
        if self.budget not in self._models:
            self._models[self.budget] = unbound_prefix_model(self.model, self.prices.counts(self.budget))
        small = self._models[self.budget]
        small.train(self.model.training)
        bind(small, self.model)
        return small

    def restore(self, prices: PriceList, heads: tuple[tuple[int, ...], ...], steps: int) -> None:
        """Go on where a training of the same model and budgets was left after so many steps; its weights come apart."""
        self.prices, self.smallest = prices, min((self.smallest, *self.schedule[:steps]))
        self.model.config.compact = replace(CompactShape.of(self.model.config), heads=heads).written()
        self._models.clear()

    def _choose_smaller(self, optimizer: Any) -> None:
        """Value the units of the smallest size so far, and choose smaller ones within it."""
        prices = self.prices
        inside = prices.kept(prices.bought[self.smallest])
        found = self.worth(prefix_model(self.model, prices.counts(self.smallest)))
        values = prices.unit_values().map(_with_beginning, found)
        costs = prices.unit_costs()
        larger = {budget: prices.kept(prices.bought[budget]) for budget in self.budgets if budget >= self.smallest}
        smaller = [budget for budget in self.budgets if budget < self.smallest]
        kept = larger | nested_sizes(values, costs, smaller, inside=inside)
        self.prices, order = PriceList.of(values, costs, kept, prices.n_tokens)
        reorder(self.model, order, also=lambda parameter: _moments(optimizer, parameter))
        self._models.clear()


def _with_beginning(values: Tensor, new: Tensor) -> Tensor:
    return torch.cat([new.to(values), values[len(new) :]])


def _moments(optimizer: Any, parameter: nn.Parameter) -> Iterable[Tensor]:
    known = optimizer.state.get(parameter, {})
    return [each for each in known.values() if isinstance(each, Tensor) and each.shape == parameter.shape]
