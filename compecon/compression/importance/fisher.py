"""How much the loss would change, to second order, without a unit."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn
from typing_extensions import override

from compecon.compression.importance.base import Batch, Importance, Loss, Order
from compecon.compression.importance.gradients import (
    GateGradients,
    all_gate_gradients,
    gate_gradients,
    n_examples,
)
from compecon.compression.modes import evaluating
from compecon.compression.rescale import rescale
from compecon.compression.scaled import scaled
from compecon.compression.select import knapsack, select
from compecon.compression.units import Units


@final
@dataclass(frozen=True, slots=True)
class Fisher(Importance):
    """Sum over examples of the squared gradient of a gate at 1: the diagonal of the empirical Fisher information.

    At a minimum of the loss it approximates the second derivative, so a unit's value is twice the loss, summed over
    examples, that removing it alone would cost. Each example counts by itself; the released code of the paper squares
    the gradients of batches of 32, which is a noisier estimate of the same.

    References:
        Kwon et al. (2022), "A Fast Post-Training Pruning Framework for Transformers", arXiv 2204.09656, section 4.1.
    """

    @override
    def score(self, model: nn.Module, batches: Iterable[Batch], loss: Loss) -> Units:
        parts = (gradients.fisher() for gradients in gate_gradients(model, batches, loss))
        total = next(parts)
        for part in parts:
            total = total.map(Tensor.add, part)
        return total

    @override
    def kept(self, order: Order) -> Units:
        """All three steps of Kwon et al., the last one if it helps; gradients are computed once for the first two.

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


def rearrange(keep: Units, gradients: GateGradients) -> Units:
    """Choose again which units of each layer stay (not 0 in `keep`), as many of each kind as before.

    By themselves, two units that do the same each look as if the other could stay. To second order, removing a set of
    units costs half the sum of the Fisher information over all their pairs, not only over its diagonal. So each kept
    unit in turn, the least important first, joins the removed ones, and the one whose return saves most comes back.
    Layers and kinds are taken one by one; no pair is looked at across them.

    Returns:
        bool, on the CPU, with the counts of ``keep``; the sum is no larger than before in any layer.

    References:
        Kwon et al. (2022), arXiv 2204.09656, section 4.2; the order of the exchanges is that of the released code.
    """
    return Units(
        tuple(map(_rearranged, keep.heads, gradients.heads)), tuple(map(_rearranged, keep.neurons, gradients.neurons))
    )


def _rearranged(keep: Tensor, rows: Tensor) -> Tensor:
    keep = (keep != 0).cpu()
    rows = rows.double()
    information = rows.T @ rows  # one layer at a time: 75 MB for 3072 neurons
    alone = information.diagonal()
    removed = ~keep
    shared = information[:, removed].sum(1)  # of each unit with the removed ones, itself included if it is removed
    for unit in alone.argsort(stable=True)[keep[alone.argsort(stable=True)]].tolist():
        removed[unit] = True
        shared += information[unit]
        saved = (2 * shared - alone).where(removed, -torch.inf)  # by the return of each
        back = int(saved.argmax())
        removed[back] = False
        shared -= information[back]
    return ~removed
