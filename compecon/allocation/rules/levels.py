"""One level for all: the scale at which spends that grow with it use up a budget."""

from __future__ import annotations

import numpy as np

from compecon.allocation.utilities.arrays import Numbers

_HALVINGS = 200


def scaled_to(weights: Numbers, floor: Numbers, cap: Numbers, budget: float) -> Numbers:
    """Spends ``weight × scale`` within limits, with the scale that uses up the budget as far as the caps allow.

    Args:
        weights: At least 0, shape (agent,).
        floor: Least spends.
        cap: Largest spends.
        budget: At least the sum of the floors.
    """
    reachable = np.where(weights > 0, cap, floor)
    if float(reachable.sum()) <= budget:
        return reachable
    low, high = 0.0, 2.0 * budget / float(weights[weights > 0].min())
    for _ in range(_HALVINGS):
        scale = (low + high) / 2
        if not low < scale < high:
            break
        low, high = (low, scale) if float(np.clip(weights * scale, floor, cap).sum()) > budget else (scale, high)
    return np.clip(weights * low, floor, cap)
