"""What a method that values units has to say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import final

from torch import Tensor, nn

from compecon.compression.select import fixed_share, select
from compecon.compression.units import UnitMacs, Units

Batch = Mapping[str, Tensor]  # the first dimension of each tensor is the example
Loss = Callable[[nn.Module, Batch], Tensor]  # the mean task loss of a batch, a scalar with its graph


@final
@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """What is to be removed of which model."""

    model: nn.Module  # trained
    macs: UnitMacs  # of its units
    target: float  # largest share that may stay, in (0, 1]
    batches: Iterable[Batch]  # calibration examples
    loss: Loss  # the mean task loss of a batch


class Importance(ABC):
    """A value for each unit, and which units a budget of MACs then buys."""

    @abstractmethod
    def score(self, model: nn.Module, batches: Iterable[Batch], loss: Loss) -> Units:
        """Value the units of a model, in evaluation mode, leaving the model and its gradients as they were.

        Args:
            model: As for `layers_of`.
            batches: Calibration examples on the model's device; methods that need no data do not look at them.
            loss: Runs the model on a batch and gives the mean task loss.

        Returns:
            float64 on the CPU, at least 0; the unit of measurement is the method's own.

        Raises:
            UnsupportedModelError: If the model's heads and neurons are not known.
            ValueError: If a method that needs batches gets none, or a gradient is not finite.
        """

    def kept(self, order: Order) -> Units:
        """The units that stay: unless said otherwise, by `fixed_share`.

        Returns:
            True, or a scale to multiply by, for a unit that stays; False or 0 for one that goes.
        """
        values = self.score(order.model, order.batches, order.loss)
        return select(values, order.macs, order.target, rule=fixed_share)
