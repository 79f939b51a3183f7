"""The best next purchase, again and again."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from compecon.allocation.bounded import Allocation
from compecon.allocation.rules.rule import Rule
from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.truncation import Truncation
from compecon.allocation.utilities.utility import Steps, Utility

_QUANTUM = 10.0  # tokens at a time on curves without levels, at many budgets


@final
@dataclass(frozen=True)
class Greedy(Rule):
    """Highest marginal value first.

    The marginal value of one token is 0 below the threshold, and a greedy rule on it would never begin. So the first
    step of an agent goes to where its average gain is highest; from there on steps are small. A step that no longer
    fits is left out together with the agent's later ones, and the search goes on. Ties go to the earlier agent.

    Attributes:
        quantum: Size of a step beyond the first, in the budget's unit, above 0.
        whole: Whether spends are whole numbers; see `Rule`.

    Raises:
        ValueError: If the quantum is not a finite number above 0.

    References:
        Sinha and Zoltners (1979), "The multiple-choice knapsack problem", Operations Research 27(3).

    Examples:
        >>> from compecon.allocation import MeasuredCurve
        >>> curves = MeasuredCurve([[1, 2, 4]], [[0, 1, 1], [0, 0, 1]])
        >>> Greedy().allocate(curves, budget=5).spend.tolist()  # the second query needs 4, and 3 are left
        [2.0, 0.0]
    """

    quantum: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.quantum) and self.quantum > 0):
            raise ValueError(f"quantum must be finite and above 0, got {self.quantum}.")

    @override
    def allocate(self, utility: Utility, budget: float) -> Allocation:
        curves, budget = self._prepared(utility, budget)
        steps = curves.steps(self.quantum)
        order = np.argsort(-steps.gain / steps.cost, kind="stable")
        spend = curves.floor + _bought(steps, order, budget - float(curves.floor.sum()), curves.n_agents)
        return self._finished(curves, spend, budget)

    @override
    def at_many_budgets(self, utility: Utility) -> Rule:
        return replace(self, quantum=_QUANTUM) if isinstance(utility, Truncation) else self

    @override
    def note(self, utility: Utility, unit: str) -> str:
        return "" if self.quantum == 1 else f"Greedy buys {self.quantum:g} {unit} at a time here."


def _bought(steps: Steps, order: NDArray[np.intp], room: float, n_agents: int) -> Numbers:
    """What each agent gets beyond its floor: all steps up to the first that does not fit, then one by one."""
    cost, agent = steps.cost[order], steps.agent[order]
    paid = np.cumsum(cost)
    n_first = int(np.searchsorted(paid, room, side="right"))
    bought = np.zeros(n_agents)
    np.add.at(bought, agent[:n_first], cost[:n_first])
    room -= float(paid[n_first - 1]) if n_first else 0.0
    out: set[int] = set()
    for buyer, price in zip(agent[n_first:].tolist(), cost[n_first:].tolist(), strict=True):
        if buyer in out:
            continue
        if price > room:
            out.add(buyer)
            if len(out) == n_agents:
                break
            continue
        bought[buyer] += price
        room -= price
    return bought
