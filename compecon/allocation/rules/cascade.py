"""Try cheaply, and spend more where the cheap try leaves doubts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from typing_extensions import override

from compecon.allocation.bounded import Allocation
from compecon.allocation.rules.rule import Rule
from compecon.allocation.rules.uniform import scaled_to
from compecon.allocation.utilities.arrays import Numbers, numbers, per_agent
from compecon.allocation.utilities.utility import Utility

_N_STAGES = 5


@final
@dataclass(frozen=True, eq=False)
class Cascade(Rule):
    """All agents get a first stage; then the most uncertain go on to the next, as long as there is budget.

    A try goes on where it stopped: a later stage costs the difference. With ``restart`` it begins anew, as another
    model would: the spend is that of all tries, the value that of the last. Ties go to the earlier agent; agents that
    the budget does not reach keep the stage they have. In the spirit of FrugalGPT (Chen et al. 2023, arXiv 2305.05176).

    Attributes:
        stages: Spend of each try, in the budget's unit, above 0 and rising; if empty, half of the mean budget and four
            doublings of it.
        uncertainty: Order in which agents go on, shape (agent,), at least 0, larger first. If None, the share of the
            curve's best value that is still missing: a calibrated doubt, which no real one is.
        restart: Whether each try begins anew.
        whole: Whether spends are whole numbers; see `Rule`.

    Raises:
        ValueError: If stages do not rise, or are not finite and above 0.

    Examples:
        >>> from compecon.allocation import MeasuredCurve
        >>> curves = MeasuredCurve([[1, 2, 4]], [[0, 1, 1], [0, 0, 1]])
        >>> Cascade(stages=(1, 2, 4)).allocate(curves, budget=5).spend.tolist()  # 1 each, then 2 each: the rest is 1
        [2.0, 2.0]
    """

    stages: tuple[float, ...] = ()
    uncertainty: Numbers | None = None
    restart: bool = False

    def __post_init__(self) -> None:
        stages = numbers(self.stages, "stages", positive=True) if self.stages else np.empty(0)
        if (np.diff(stages) <= 0).any():
            raise ValueError(f"stages must rise, got {self.stages}.")

    @override
    def allocate(self, utility: Utility, budget: float) -> Allocation:
        curves, budget = self._prepared(utility, budget)
        mean = budget / curves.n_agents
        stages = np.array(self.stages or tuple(mean / 2 * 2**n for n in range(_N_STAGES)))
        stages = np.floor(stages) if self.whole else stages
        reached = scaled_to(
            np.ones(curves.n_agents), curves.floor, np.clip(stages[0], curves.floor, curves.cap), budget
        )
        reached = np.floor(reached) if self.whole else reached
        spend = reached.copy()
        for stage in stages[1:]:
            spend, reached = self._escalated(curves, stage, spend, reached, budget - float(spend.sum()))
        allocation = self._finished(curves, spend, budget)
        if not self.restart:
            return allocation
        return Allocation(allocation.spend, float(curves.value(reached).sum()), None, allocation.upper_bound)

    def _escalated(
        self, curves: Utility, stage: float, spend: Numbers, reached: Numbers, room: float
    ) -> tuple[Numbers, Numbers]:
        goal = np.clip(stage, curves.floor, curves.cap)
        cost = np.where(goal > reached, goal if self.restart else goal - reached, 0.0)
        doubt = self._doubt(curves, reached)
        cost = np.where(spend + cost <= curves.cap, cost, 0.0)
        order = np.argsort(-doubt, kind="stable")
        order = order[(cost[order] > 0) & (doubt[order] > 0)]
        going = order[np.cumsum(cost[order]) <= room]
        spend, reached = spend.copy(), reached.copy()
        spend[going] += cost[going]
        reached[going] = goal[going]
        return spend, reached

    def _doubt(self, curves: Utility, reached: Numbers) -> Numbers:
        if self.uncertainty is not None:
            return per_agent(curves.n_agents, uncertainty=numbers(self.uncertainty, "uncertainty"))["uncertainty"]
        best = curves.value(curves.most)
        return np.where(best > 0, 1.0 - curves.value(reached) / np.where(best > 0, best, 1.0), 0.0)
