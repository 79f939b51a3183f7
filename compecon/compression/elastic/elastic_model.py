"""One model that serves every size between its smallest trained one and the whole."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, final

import torch

from compecon.compression.elastic.prefix_model import prefix_model
from compecon.compression.elastic.price_list import Counts, PriceList
from compecon.compression.families import unit_counts
from compecon.compression.units import unit_macs

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_MOST_KEPT = 64  # sizes: each is a model of its own, of which some weights are copies (see `prefix_model`)


@final
@dataclass(frozen=True, eq=False)
class ElasticModel:
    """A compacted model whose units lie in the order of a price list.

    Attributes:
        model: All units; a `Compact...` model.
        prices: The order.
    """

    model: PreTrainedModel
    prices: PriceList
    _made: OrderedDict[Counts, PreTrainedModel] = field(default_factory=OrderedDict, init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        there, listed = unit_counts(self.model), self.prices.counts_of(len(self.prices.columns))
        if there != listed:
            raise ValueError(f"the price list has (heads, neurons) {list(listed)}, and the model {list(there)}.")
        costs = unit_macs(self.model, self.prices.n_tokens)
        if self.prices.dense != costs.dense or not torch.equal(self.prices.unit_costs().joined(), costs.joined()):
            raise ValueError("the costs of the price list are not those of the model's units.")

    def at(self, budget: float) -> PreTrainedModel:
        """The model that a budget buys: an ordinary compacted one, on views of the same weights.

        The models used last are kept, so that switching back costs nothing. Change none of them; copy it first. Safe to
        call from any thread.

        Args:
            budget: Share of the MACs (see `UnitMacs`), from the smallest trained budget to 1; any between works.

        Raises:
            ValueError: If the budget is out of that range.
        """
        counts = self.counts(budget)
        with self._lock:
            small = self._made.pop(counts, None) or prefix_model(self.model, counts)
            self._made[counts] = small
            if len(self._made) > _MOST_KEPT:
                self._made.popitem(last=False)
        return small

    def counts(self, budget: float) -> Counts:
        """Heads and neurons of each layer that a budget buys; errors as of :meth:`at`."""
        return self.prices.counts(budget)

    def price_at(self, budget: float) -> float:
        """Value per MAC of the last unit that a budget buys; errors as of :meth:`at`."""
        return self.prices.price_at(budget)
