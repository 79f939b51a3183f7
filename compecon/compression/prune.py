"""The post-hoc rivals by name: methods that remove units from a trained model without training it again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import torch
from torch import nn

from compecon.compression.architectures import compact_class
from compecon.compression.importance.base import Batch, Importance, Loss
from compecon.compression.importance.gradients import all_gate_gradients, n_examples
from compecon.compression.importance.magnitude import Magnitude
from compecon.compression.importance.random_units import RandomUnits
from compecon.compression.importance.taylor import Taylor
from compecon.compression.macs import unit_macs
from compecon.compression.modes import evaluating
from compecon.compression.rearrange import rearrange
from compecon.compression.rescale import rescale
from compecon.compression.scaled import scaled
from compecon.compression.select import Rule, fixed_share, knapsack, require_share, select, uniform
from compecon.compression.units import Units


@final
@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """What a method is asked for.

    Attributes:
        model: The trained model.
        macs: MACs of its units.
        target: Largest share of them.
        batches: Calibration examples.
        loss: The mean task loss of a batch.
        seed: Of whatever is random.
    """

    model: nn.Module
    macs: Units
    target: float
    batches: Iterable[Batch]
    loss: Loss
    seed: int

    def bought(self, importance: Importance, rule: Rule) -> Units:
        """The units that the budget buys, True for those that stay."""
        return select(importance.score(self.model, self.batches, self.loss), self.macs, self.target, rule=rule)


Method = Callable[[Order], Units]


def _random(order: Order) -> Units:
    return order.bought(RandomUnits(order.seed), fixed_share)


def _magnitude(order: Order) -> Units:
    return order.bought(Magnitude(), fixed_share)


def _uniform(order: Order) -> Units:
    return order.bought(Magnitude(), uniform)


def _taylor(order: Order) -> Units:
    return order.bought(Taylor(), fixed_share)


def _fisher(order: Order) -> Units:
    """All three steps of Kwon et al., the last one if it helps; the gradients are computed once for the first two.

    The teacher of the last step is, as in the released code, the model pruned half as far on a logarithmic scale.
    """
    batches = tuple(order.batches)
    gradients = all_gate_gradients(order.model, batches, order.loss)
    importance = gradients.fisher()
    keep = rearrange(select(importance, order.macs, order.target, rule=knapsack), gradients)
    teacher = select(importance, order.macs, math.sqrt(order.target), rule=knapsack)
    scales = rescale(order.model, keep, batches, order.loss, teacher=teacher)
    return min(keep, scales, key=lambda values: _calibration_loss(order, values, batches))


def _calibration_loss(order: Order, values: Units, batches: tuple[Batch, ...]) -> float:
    """Summed over examples; a loss that is not a number comes last."""
    with torch.no_grad(), evaluating(order.model), scaled(order.model, values):
        total = sum(float(order.loss(order.model, batch)) * n_examples(batch) for batch in batches)
    return total if math.isfinite(total) else math.inf


METHODS: Mapping[str, Method] = MappingProxyType(
    {"random": _random, "magnitude": _magnitude, "uniform": _uniform, "taylor": _taylor, "fisher": _fisher}
)


def prune(  # noqa: PLR0913 - one call with everything that any of the methods needs
    model: nn.Module,
    method: str,
    target: float,
    *,
    n_tokens: int,
    batches: Iterable[Batch],
    loss: Loss,
    seed: int = 0,
) -> Units:
    """Choose the units of a trained model that stay, without training it; the model is left as it was.

    - ``random``: whichever; ``fixed_share`` of the MACs for heads and for neurons, as in the next and in ``taylor``.
    - ``magnitude``: those of the largest weights.
    - ``uniform``: those of the largest weights in each layer, the same widths in all layers.
    - ``taylor``: those whose absence changes the loss most, to first order (Michel et al. 2019).
    - ``fisher``: those whose absence costs most, to second order, exchanged where they are redundant, and rescaled to
      make up for the others where that lowers the calibration loss (Kwon et al. 2022).

    Args:
        model: As for `layers_of`, fine-tuned on the task of ``loss``; may be compacted already.
        method: A name in `METHODS`.
        target: Largest share that may stay of the MACs of the given model's units, in (0, 1]. For a model that was
            compacted before, this is a share of what it has left.
        n_tokens: Length of a text at which the MACs are counted.
        batches: Calibration examples on the model's device, once through; only `taylor` and `fisher` look at them.
        loss: The mean task loss of a batch, with its graph.
        seed: For `random`; other methods give the same every time.

    Returns:
        Values for `compact`, float64 on the CPU: 0 for a unit that goes, 1 or a scale for one that stays. Their
        `share_of_macs` is at most the target.

    Raises:
        UnsupportedModelError: If the model's heads and neurons are not known, or `compact` has no class for it.
        ValueError: If the method is not known, the target or the length out of range, there is no batch for a method
            that needs one, or a gradient is not finite.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}.")
    require_share(target)  # before anything is computed
    macs = unit_macs(model, n_tokens)
    compact_class(type(model))
    return METHODS[method](Order(model, macs, target, batches, loss, seed)).map(lambda part: part.to(torch.float64))
