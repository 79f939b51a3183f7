"""The optimum in whole units, with its proof or the gap that is left."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from typing_extensions import override

from compecon.allocation.bounded import Allocation, in_whole_units, not_over
from compecon.allocation.clearing import checked_budget, clear
from compecon.allocation.knapsack import TooMuchWorkError, choices, least_loss
from compecon.allocation.rules.repaired import repaired
from compecon.allocation.rules.rule import Rule
from compecon.allocation.utilities.arrays import Numbers, numbers
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.surge import ShiftedSurge
from compecon.allocation.utilities.utility import Utility

_SHARES = (1 / 4096, 1 / 512, 1 / 64, 1 / 16, 1 / 4, 1.0)
_NOTHING = 1e-12  # of the bound
_QUICK = 3e7  # updates of states at each of many budgets: about a tenth of a second
_FEW_LEVELS = 8
_FEWEST_UNITS, _MOST_UNITS = 300, 3000  # of the largest level


@final
@dataclass(frozen=True)
class KnapsackExact(Rule):
    """Exact for any curves in whole units. Derived here: reduced costs, then a dynamic programme on what they leave.

    At the clearing price every choice of an agent falls short of its best one by a reduced cost. A solution is worth
    the dual bound minus its reduced costs and the price of what it leaves unspent, so one that is better than a known
    solution contains no choice, and no set of choices, that loses more than the gap. Small losses are tried first; the
    first try that finds a solution has found the optimum, and one that finds none lowers the bound.

    The bound is the value if optimality was proven. Otherwise the gap is what was not excluded. Ties: any optimum.

    Attributes:
        unit: Size of one unit of spend, in the curves' unit, above 0: 1 for tokens, a million for MACs. Levels are
            rounded up to units.
        most_work: Updates of states before it gives up on a proof, at least 0: 3e8 take about a second.
        hand_back: Whether measured levels, rounded up to units for the search, are spent unrounded, and what that
            leaves goes where it still buys something. Spends are then not whole units.
        n_tries: Tries of the repair that finds the first known solution, at least 0; see `RepairedShadowPrice`.
        whole: Ignored: spends are always in whole units.

    Raises:
        ValueError: If the unit is not finite and above 0, or the work is negative.

    Examples:
        >>> from compecon.allocation import MeasuredCurve
        >>> curves = MeasuredCurve([[1, 2, 4]], [[0, 1, 1], [0, 0, 1]])
        >>> found = KnapsackExact().allocate(curves, budget=6)
        >>> found.spend.tolist(), found.value, found.gap
        ([2.0, 4.0], 2.0, 0.0)
    """

    unit: float = 1.0
    most_work: float = 6e8
    hand_back: bool = False
    n_tries: int = 16

    def __post_init__(self) -> None:
        numbers(self.unit, "unit", positive=True)
        numbers(self.most_work, "most_work")

    @override
    def allocate(self, utility: Utility, budget: float) -> Allocation:
        curves = utility.rescaled(self.unit).in_whole_units()
        room = float(np.floor(checked_budget(utility, budget) / self.unit * (1 + 1e-12)))
        market = clear(curves, room)
        found = repaired(curves, room, market, n_tries=self.n_tries)
        known = in_whole_units(curves, not_over(found.spend, room), room)
        spend, bound = _optimum(curves, room, market.price, known, self.most_work)
        value = float(curves.value(spend).sum())
        spend = not_over(spend * self.unit, budget)
        if self.hand_back and isinstance(utility, MeasuredCurve):
            exact = utility.reached(spend)
            spend = not_over(utility.filled(exact, budget - float(exact.sum())), budget)
            value, bound = float(utility.value(spend).sum()), clear(utility, budget).upper_bound
        return Allocation(spend, value, market.price / self.unit, max(bound, value))

    @override
    def at_many_budgets(self, utility: Utility) -> Rule:
        return replace(self, unit=counted_as_one(utility), most_work=_QUICK, hand_back=True, n_tries=0)

    @override
    def is_slow(self, utility: Utility) -> bool:
        if isinstance(utility, MeasuredCurve):
            return bool(utility.levels.shape[1] > _FEW_LEVELS)
        return not isinstance(utility, ShiftedSurge)

    @override
    def note(self, utility: Utility, unit: str) -> str:
        one = f"whole {unit}" if self.unit == 1 else f"steps of {self.unit:g} {unit}, levels rounded up"
        return (
            f"Exact knapsack: the optimum in {one} for the curves it sees, proven, or the best found in a tenth of a "
            "second per budget; what rounding takes is handed back. The gap is to the bound without rounding."
        )


def counted_as_one(utility: Utility) -> float:
    """A unit that leaves a quick search: 1 if spends are whole and not huge, else a power of ten."""
    if not isinstance(utility, MeasuredCurve):
        return 1.0
    highest = float(utility.levels.max())
    if highest <= 0 or (highest <= _MOST_UNITS and not (utility.levels % 1.0).any()):
        return 1.0
    return float(10.0 ** math.floor(math.log10(highest / _FEWEST_UNITS)))


def _optimum(curves: Utility, budget: float, price: float, known: Numbers, most_work: float) -> tuple[Numbers, float]:
    """Spends, and a bound on their value."""
    value = float(curves.value(known).sum())
    gap = max(0.0, clear(curves, budget).upper_bound - value)
    table = choices(curves, budget, price, gap)
    gap, bound = table.bound - value, table.bound
    for share in _SHARES:
        if gap <= _NOTHING * abs(bound):
            return known, value
        allowed = gap * share * (1 + 1e-9)
        try:
            found = least_loss(table.within(allowed), int(budget), price, allowed, most_work)
        except TooMuchWorkError:
            return known, bound
        if found is not None:
            spend = found[1].astype(np.float64)
            return (spend, float(curves.value(spend).sum())) if found[0] < gap else (known, value)
        bound = table.bound - allowed
    return known, value
