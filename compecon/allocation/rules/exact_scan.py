"""The optimum when all curves have one shape: fund the smallest thresholds, and try every number of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from compecon.allocation.bounded import Allocation
from compecon.allocation.rules.rule import Rule
from compecon.allocation.utilities.arrays import Mask, Numbers
from compecon.allocation.utilities.surge import ShiftedSurge
from compecon.allocation.utilities.utility import Utility


@final
@dataclass(frozen=True)
class ExactScan(Rule):
    """Exact for shifted surges that share slope and decay, in O(N log N). Derived here, not in the paper.

    Among funded agents, equal surplus tokens are best, and exchanging a funded agent for one with a smaller threshold
    never hurts. So the best set is the k smallest thresholds (ties: the earlier agent), and k is tried from 1 to N. The
    value is its own bound. In whole units the optimum is rounded, and the bound is the one without rounding.

    The argument holds with one cap for all. With caps that differ an agent with a larger threshold and a larger cap can
    be worth more than one with a smaller threshold, so the best set need not be the smallest thresholds, and choosing
    it is a knapsack; floors give budget to agents that are left out. Both are refused: `KnapsackExact` is exact there.

    Attributes:
        whole: Whether spends are whole numbers; see `Rule`.

    Examples:
        >>> curves = ShiftedSurge(threshold=[50, 100, 900], slope=1.5, decay=0.01)
        >>> ExactScan().allocate(curves, budget=300).spend.tolist()
        [125.0, 175.0, 0.0]
    """

    @override
    def allocate(self, utility: Utility, budget: float) -> Allocation:
        curves, budget = self._prepared(utility, budget)
        if (why := self.refusal(curves)) or not isinstance(curves, ShiftedSurge):
            raise ValueError(f"ExactScan cannot share among these curves: {why}")
        surge = curves
        slope, decay, cap = float(surge.slope[0]), float(surge.decay[0]), float(surge.cap[0])
        thresholds = np.sort(surge.threshold)
        thresholds = thresholds[: int(np.searchsorted(thresholds, cap))]
        room = budget - np.cumsum(thresholds)
        n_possible = int(np.searchsorted(-room, 0.0))  # whose thresholds together leave something
        if n_possible == 0:
            return self._finished(curves, np.zeros(surge.n_agents), budget, bound=0.0)
        most = np.minimum(1.0 / decay, cap - thresholds[:n_possible])
        level, values = _every_number(room[:n_possible], most, slope, decay)
        number = int(np.argmax(values)) + 1
        x = min(float(level[number - 1]), float(most[0]))
        funded = _smallest(surge.threshold, float(thresholds[number - 1]), number)
        spend = np.where(funded, np.minimum(surge.threshold + x, cap), 0.0)
        price = slope * (1.0 - decay * x) * math.exp(-decay * x) if x < most[0] else 0.0
        return self._finished(curves, spend, budget, price=price, bound=float(values[number - 1]))

    @override
    def refusal(self, utility: Utility) -> str:
        if not (isinstance(utility, ShiftedSurge) and utility.is_shared):
            return (
                "its proof is for the paper's surges with one slope and one decay. These curves have other shapes; the "
                "exact knapsack takes any."
            )
        if utility.floor.any() or (utility.cap != utility.cap[0]).any():
            return "its proof is for floors of 0 and one cap for all. The exact knapsack takes any limits."
        return ""


def _smallest(thresholds: Numbers, last: float, number: int) -> Mask:
    """Which agents have the smallest thresholds, ``last`` being the largest of them; ties go to the earlier ones."""
    chosen = thresholds < last
    tied = np.flatnonzero(thresholds == last)
    chosen[tied[: number - int(chosen.sum())]] = True
    return chosen


def _every_number(room: Numbers, most: Numbers, slope: float, decay: float) -> tuple[Numbers, Numbers]:
    """For each number k of funded agents the common surplus and the total value.

    `room`, above 0, is what is left after k thresholds; `most`, never rising, is the largest surplus of each agent.
    """
    number = np.arange(1, len(most) + 1)
    if most[0] == most[-1]:
        level = np.minimum(room / number, most[0])
        return level, number * slope * level * np.exp(-decay * level)
    before = np.concatenate([[0.0], np.cumsum(most)])
    worth_before = np.concatenate([[0.0], np.cumsum(slope * most * np.exp(-decay * most))])
    free = _below_their_caps(room, most, before)
    level = np.where(free > 0, (room - (before[number] - before[free])) / np.maximum(free, 1), most[0])
    values = free * slope * level * np.exp(-decay * level) + worth_before[number] - worth_before[free]
    return level, values


def _below_their_caps(room: Numbers, most: Numbers, before: Numbers) -> NDArray[np.intp]:
    """For each number k how many agents, those with the smallest thresholds, do not stop at their caps.

    The largest j whose common share of what the others leave is within the j-th cap; halved for all k at once.
    """
    number = np.arange(1, len(most) + 1)
    low, high = np.zeros(len(most), dtype=np.intp), number.astype(np.intp)
    high = np.where(room >= before[1:], low, high)  # all stop at their caps
    while (low < high).any():
        trial = (low + high + 1) // 2
        share = (room - (before[number] - before[trial])) / np.maximum(trial, 1)
        fits = share <= most[np.maximum(trial, 1) - 1]
        low, high = np.where(fits, trial, low), np.where(fits, high, trial - 1)
    return low
