"""An allocation: its spends, their value, and how much better it could be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from compecon.allocation.utilities.arrays import Mask, Numbers
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.utility import Utility

_ROUNDING = 1e-9  # relative; sums of floats are not exact


@final
@dataclass(frozen=True, eq=False)
class Allocation:
    """A budget that was shared.

    Attributes:
        spend: What each agent may spend, shape (agent,), in the budget's unit; in total never more than the budget.
        value: Total value, in the curves' unit.
        price: Shadow price: what the marginal agent would pay for one more unit of budget. None if the rule sets none.
        upper_bound: Proven: no allocation of this budget among these curves is worth more. For whole units, no
            allocation in whole units.

    Examples:
        >>> from compecon.allocation import MeasuredCurve, ShadowPrice
        >>> curves = MeasuredCurve([[1, 2, 4]], [[0, 1, 1], [0, 0, 1]])
        >>> found = ShadowPrice().allocate(curves, budget=5)
        >>> found.spent, found.gap, found.abandoned(curves).tolist(), found.surplus(curves).tolist()
        (2.0, 0.0, [False, True], [0.5, 0.0])
    """

    spend: Numbers
    value: float
    price: float | None
    upper_bound: float

    @property
    def gap(self) -> float:
        """How much a better allocation could add at most, at least 0."""
        return max(0.0, self.upper_bound - self.value)

    @property
    def spent(self) -> float:
        """Total spend."""
        return float(self.spend.sum())

    def abandoned(self, utility: Utility) -> Mask:
        """Which agents got no more than their floor, and nothing of value by that, shape (agent,)."""
        return np.asarray((self.spend <= utility.floor) & (utility.value(self.spend) <= 0))

    def surplus(self, utility: Utility) -> Numbers:
        """Value minus price times spend, shape (agent,); the value where there is no price."""
        return utility.value(self.spend) - (self.price or 0.0) * self.spend


def tightened(utility: Utility, bound: float) -> float:
    """A bound on the value, in whole numbers where all values are: 41.7 correct answers are 41."""
    values = utility.values if isinstance(utility, MeasuredCurve) else None
    if values is None or (values % 1.0).any():
        return bound
    return float(math.floor(bound * (1 + _ROUNDING) + _ROUNDING))


def not_over(spend: Numbers, budget: float) -> Numbers:
    """Spends whose sum is the budget at most: what rounding added is taken from the largest.

    Raises:
        AssertionError: If more than rounding would have to be taken, which would be a bug.
    """
    excess = float(spend.sum()) - budget
    if excess <= 0:
        return spend
    if excess > _ROUNDING * max(1.0, budget):
        raise AssertionError(f"a rule overspent by {excess} of {budget}.")
    spend = spend.copy()
    while excess > 0:
        largest = int(np.argmax(spend))
        spend[largest] = max(0.0, np.nextafter(spend[largest] - excess, 0.0))
        excess = float(spend.sum()) - budget
    return spend


def in_whole_units(utility: Utility, spend: Numbers, budget: float) -> Numbers:
    """Spends rounded down, and what that frees as one unit each for the agents that gain most by it.

    Ties go to the earlier agent. The limits of the curves are whole, and the spends in total at most the budget.
    """
    down = np.maximum(np.floor(spend + _ROUNDING), utility.floor)
    gain = utility.value(down + 1.0) - utility.value(down)
    wants = (gain > 0) & (spend > down + _ROUNDING) & (down + 1.0 <= utility.cap)
    room = max(0, math.floor(budget - float(down.sum()) + _ROUNDING))
    chosen = np.argsort(np.where(wants, -gain, np.inf), kind="stable")[: min(room, int(wants.sum()))]
    down[chosen] += 1.0
    return down
