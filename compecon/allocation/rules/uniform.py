"""The same spend for all agents, and one level for all in general."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from typing_extensions import override

from compecon.allocation.bounded import Allocation
from compecon.allocation.rules.rule import Rule
from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.utility import Utility

_HALVINGS = 200


@final
@dataclass(frozen=True)
class Uniform(Rule):
    """The same for every agent, whatever it is worth: the paper's first baseline.

    What limits take away or add is levelled out over the others, so that the budget is used up. The rule does not look
    at the curves, and may go beyond their peaks.

    Attributes:
        whole: Whether spends are whole numbers; see `Rule`.

    Examples:
        >>> from compecon.allocation import MeasuredCurve
        >>> curves = MeasuredCurve([[1, 2, 4]], [[0, 1, 1], [0, 0, 1]])
        >>> Uniform().allocate(curves, budget=6).spend.tolist()
        [3.0, 3.0]
    """

    @override
    def allocate(self, utility: Utility, budget: float) -> Allocation:
        curves, budget = self._prepared(utility, budget)
        return self._finished(curves, scaled_to(np.ones(curves.n_agents), curves.floor, curves.cap, budget), budget)


def scaled_to(weights: Numbers, floor: Numbers, cap: Numbers, budget: float) -> Numbers:
    """Spends `weight × scale` within limits, shape (agent,), at the scale that uses up as much of the budget as it can.

    Args:
        weights: At least 0, shape (agent,).
        floor: Least spends, shape (agent,).
        cap: Largest spends, shape (agent,).
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
