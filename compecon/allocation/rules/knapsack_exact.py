"""The optimum, with its proof or the gap that is left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from typing_extensions import override

from compecon.allocation.bounded import Allocation, in_whole_units, not_over, tightened
from compecon.allocation.clearing import Clearing, checked_budget, clear
from compecon.allocation.knapsack import TooMuchWorkError, choices, least_loss
from compecon.allocation.rules.repaired import repaired
from compecon.allocation.rules.rule import Rule
from compecon.allocation.units import counted_as_one, exact_unit, in_units, is_exact
from compecon.allocation.utilities.arrays import Numbers, numbers
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.surge import ShiftedSurge
from compecon.allocation.utilities.utility import Utility

_SHARES = (1 / 4096, 1 / 512, 1 / 64, 1 / 16, 1 / 4, 1.0)
_NOTHING = 1e-12  # of the bound
_QUICK = 3e7  # updates of states at each of many budgets: about a tenth of a second
_FEW_LEVELS = 8


@final
@dataclass(frozen=True)
class KnapsackExact(Rule):
    """Exact for steps, and for any curves in whole units. Derived here: reduced costs, then a dynamic programme.

    At the clearing price every choice of an agent falls short of its best one by a reduced cost. A solution is worth
    the dual bound minus its reduced costs and the price of what it leaves unspent, so one that is better than a known
    solution contains no choice, and no set of choices, that loses more than the gap. Small losses are tried first; the
    first try that finds a solution has found the optimum, and one that finds none lowers the bound.

    The programme counts in units. Steps whose levels are multiples of one, tokens or cents, lose nothing by that.
    Otherwise levels are rounded up to units for the search and spent unrounded, what that leaves goes where it still
    buys something, and the bound is that of the problem without units. Smooth curves are searched in whole units, and
    it never does worse than `RepairedShadowPrice`. Ties: any optimum.

    The bound is the value if optimality was proven. Otherwise the gap is what was not excluded.

    Attributes:
        unit: Size of one unit of spend, in the curves' unit, above 0; None for the largest that loses nothing.
        most_work: Updates of states before it gives up on a proof, at least 0: 3e8 take about a second.
        n_tries: Tries of the repair that finds the first known solution, at least 0; see `RepairedShadowPrice`.
        whole: Whether spends must be whole units (of 1 if no unit is given); levels are then rounded up to them.

    Raises:
        ValueError: If the unit is not finite and above 0, or the work is negative.

    Examples:
        >>> from compecon.allocation import MeasuredCurve
        >>> curves = MeasuredCurve([[0.01, 0.02, 0.04]], [[0, 1, 1], [0, 0, 1]])
        >>> found = KnapsackExact().allocate(curves, budget=0.06)
        >>> found.spend.tolist(), found.value, found.gap
        ([0.02, 0.04], 2.0, 0.0)
    """

    unit: float | None = None
    most_work: float = 6e8
    n_tries: int = 16

    def __post_init__(self) -> None:
        numbers(1.0 if self.unit is None else self.unit, "unit", positive=True)
        numbers(self.most_work, "most_work")

    @override
    def allocate(self, utility: Utility, budget: float) -> Allocation:
        budget = checked_budget(utility, budget)
        if self.whole:
            return self._in_units(utility, budget, self.unit or 1.0)
        unit = self.unit or exact_unit(utility)
        if is_exact(utility, unit):
            return self._in_units(utility, budget, unit)
        market = clear(utility, budget)
        best = repaired(utility, budget, market, n_tries=self.n_tries).spend
        try:
            other = self._unrounded(utility, budget, self._in_units(utility, budget, unit).spend)
        except ValueError:  # floors that are rounded up are above their caps, or the budget
            other = best
        spend = not_over(max(best, other, key=lambda each: float(utility.value(each).sum())), budget)
        value = float(utility.value(spend).sum())
        return Allocation(spend, value, market.price, max(value, tightened(utility, market.upper_bound)))

    @override
    def at_many_budgets(self, utility: Utility) -> Rule:
        return replace(self, unit=counted_as_one(utility), most_work=_QUICK, n_tries=0)

    @override
    def is_slow(self, utility: Utility) -> bool:
        if isinstance(utility, MeasuredCurve):
            return bool(utility.levels.shape[1] > _FEW_LEVELS)
        return not isinstance(utility, ShiftedSurge)

    @override
    def note(self, utility: Utility, unit: str) -> str:
        one = f"whole {unit}" if self.unit in (None, 1) else f"steps of {self.unit:g} {unit}, levels rounded up"
        return (
            f"Exact knapsack: the optimum in {one} for the curves it sees, proven, or the best found in a tenth of a "
            "second per budget; what rounding takes is handed back. The gap is to the bound without rounding."
        )

    def _in_units(self, utility: Utility, budget: float, unit: float) -> Allocation:
        """The optimum in whole units; ValueError if floors do not fit caps or budget then."""
        curves, room = in_units(utility, budget, unit)
        market = clear(curves, room)
        found = repaired(curves, room, market, n_tries=self.n_tries)
        known = in_whole_units(curves, not_over(found.spend, room), room)
        spend, bound = _optimum(curves, room, market, known, self.most_work)
        value = float(curves.value(spend).sum())
        spend = not_over(spend * unit, budget)
        return Allocation(spend, value, market.price / unit, max(value, tightened(curves, bound)))

    @staticmethod
    def _unrounded(utility: Utility, budget: float, spend: Numbers) -> Numbers:
        """Spends of steps without what rounding added, and with a use for that."""
        if not isinstance(utility, MeasuredCurve):
            return spend
        exact = utility.reached(spend)
        return utility.filled(exact, budget - float(exact.sum()))


def _optimum(
    curves: Utility, budget: float, market: Clearing, known: Numbers, most_work: float
) -> tuple[Numbers, float]:
    """Spends, and a bound on their value."""
    value, bound = float(curves.value(known).sum()), market.upper_bound
    try:
        table = choices(curves, budget, market.price, max(0.0, bound - value))
    except TooMuchWorkError:
        return known, bound
    gap, bound = table.bound - value, table.bound
    for share in _SHARES:
        if gap <= _NOTHING * abs(bound):
            return known, value
        allowed = gap * share * (1 + 1e-9)
        try:
            found = least_loss(table.within(allowed), int(budget), market.price, allowed, most_work)
        except TooMuchWorkError:
            return known, bound
        if found is not None:
            spend = found[1].astype(np.float64)
            return (spend, float(curves.value(spend).sum())) if found[0] < gap else (known, value)
        bound = table.bound - allowed
    return known, value
