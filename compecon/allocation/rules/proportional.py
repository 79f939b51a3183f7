"""More for agents that are predicted to need more."""

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


@final
@dataclass(frozen=True, eq=False)
class Proportional(Rule):
    """In proportion to predicted thresholds: a baseline of the paper.

    Attributes:
        need: What each agent is predicted to need, shape (agent,), at least 0; the curves' thresholds if None. An agent
            that needs nothing gets its floor; if all need nothing, all get the same.
        whole: Whether spends are whole numbers; see `Rule`.

    Examples:
        >>> from compecon.allocation import MeasuredCurve
        >>> curves = MeasuredCurve([[1, 2, 4]], [[0, 1, 1], [0, 0, 1]])
        >>> Proportional().allocate(curves, budget=6).spend.tolist()
        [2.0, 4.0]
    """

    need: Numbers | None = None

    @override
    def allocate(self, utility: Utility, budget: float) -> Allocation:
        curves, budget = self._prepared(utility, budget)
        need = curves.thresholds if self.need is None else numbers(self.need, "need")
        weights = per_agent(curves.n_agents, need=need)["need"]
        weights = weights if weights.any() else np.ones(curves.n_agents)
        return self._finished(curves, scaled_to(weights, curves.floor, curves.cap, budget), budget)
