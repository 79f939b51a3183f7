"""Exchange units within a layer: by themselves, two units that do the same each look as if the other could stay."""

from __future__ import annotations

import torch
from torch import Tensor

from compecon.compression.importance.gradients import GateGradients
from compecon.compression.units import Units


def rearrange(keep: Units, gradients: GateGradients) -> Units:
    """Choose again which units of each layer stay, as many of each kind as before.

    To second order, removing a set of units costs half the sum of the Fisher information over all their pairs, not
    only over its diagonal. So each kept unit in turn, the least important first, joins the removed ones, and the one
    whose return saves most comes back. Layers and kinds are taken one by one; no pair is looked at across them.

    Args:
        keep: True, or anything but 0, for a unit that stays.
        gradients: From `all_gate_gradients` of the model before anything is removed.

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
