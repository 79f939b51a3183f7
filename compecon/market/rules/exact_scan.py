"""The optimum when all curves have one shape: fund the smallest thresholds, and try every number of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from typing_extensions import override

from compecon.market.allocation import Allocation
from compecon.market.arrays import Numbers
from compecon.market.rules.rule import Rule
from compecon.market.surge import ShiftedSurge
from compecon.market.utility import Utility


@final
@dataclass(frozen=True)
class ExactScan(Rule):
    """Exact for shifted surges that share slope and decay, in O(N log N). Derived here, not in the paper.

    Given who is funded, equal surplus tokens are best, and exchanging a funded agent for one with a smaller threshold
    never hurts. So the best set is the k smallest thresholds (ties: the earlier agent), and k is tried from 1 to N. The
    value is its own bound. In whole units the optimum is rounded, and the bound is the one without rounding.

    The argument holds with one cap for all, and not with caps or floors that differ: those are refused.
    """

    @override
    def allocate(self, utility: Utility, budget: float) -> Allocation:
        curves, budget = self._prepared(utility, budget)
        surge = _of_one_shape(curves)
        slope, decay, cap = float(surge.slope[0]), float(surge.decay[0]), float(surge.cap[0])
        order = np.argsort(surge.threshold, kind="stable")
        thresholds = surge.threshold[order]
        thresholds = thresholds[thresholds < cap]
        room = budget - np.cumsum(thresholds)
        n_possible = int(np.searchsorted(-room, 0.0, side="left"))  # sums of thresholds below the budget
        if n_possible == 0:
            return self._finished(curves, np.zeros(surge.n_agents), budget, price=None, bound=0.0)
        most = np.minimum(1.0 / decay, cap - thresholds[:n_possible])
        level, values = _every_number(room[:n_possible], most, slope, decay)
        number = int(np.argmax(values)) + 1
        x = np.minimum(level[number - 1], most[:number])
        spend = np.zeros(surge.n_agents)
        spend[order[:number]] = thresholds[:number] + x
        price = max(0.0, slope * (1.0 - decay * float(x.max())) * float(np.exp(-decay * x.max())))
        spent_out = room[number - 1] <= float(most[:number].sum())
        return self._finished(curves, spend, budget, price=price if spent_out else 0.0, bound=float(values[number - 1]))


def _of_one_shape(curves: Utility) -> ShiftedSurge:
    if not (isinstance(curves, ShiftedSurge) and curves.is_shared):
        raise ValueError("ExactScan needs shifted surges that share slope and decay. Use RepairedShadowPrice.")
    if curves.floor.any() or (curves.cap != curves.cap[0]).any():
        raise ValueError("ExactScan needs floors of 0 and one cap for all. Use KnapsackExact.")
    return curves


def _every_number(room: Numbers, most: Numbers, slope: float, decay: float) -> tuple[Numbers, Numbers]:
    """For each number k of funded agents the common surplus and the total value.

    Args:
        room: What is left after k thresholds, shape (k,), above 0.
        most: Largest surplus of each agent, shape (k,), never rising.
        slope: The curves' slope.
        decay: Their decay.
    """
    n_agents = len(most)
    number = np.arange(1, n_agents + 1)
    before = np.concatenate([[0.0], np.cumsum(most)])
    worth = slope * most * np.exp(-decay * most)
    worth_before = np.concatenate([[0.0], np.cumsum(worth)])
    # The agents with the largest thresholds stop at their caps: how many do not, found by halving for all k at once.
    # With the first j sharing what is left, j is enough if the next one's cap is within the share.
    low, high = np.zeros(n_agents, dtype=np.intp), number.copy()
    low = np.where(room <= number * most[-1], number, low)  # nobody is at a cap: no search
    high = np.where(room >= before[1:], low, high)  # everybody is
    while (low < high).any():
        free = (low + high + 1) // 2  # are the first `free` agents above the level?
        share = (room - (before[number] - before[free])) / np.maximum(free, 1)
        free_of_cap = share <= most[np.maximum(free, 1) - 1]
        low, high = np.where(free_of_cap, free, low), np.where(free_of_cap, high, free - 1)
    share = (room - (before[number] - before[low])) / np.maximum(low, 1)
    level = np.where(low > 0, share, most[0])
    values = low * slope * level * np.exp(-decay * level) + worth_before[number] - worth_before[low]
    return level, values
