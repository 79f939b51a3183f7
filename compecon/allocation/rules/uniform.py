"""The same cap for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from typing_extensions import override

from compecon.allocation.bounded import Allocation
from compecon.allocation.rules.levels import scaled_to
from compecon.allocation.rules.rule import Rule
from compecon.allocation.utilities.utility import Utility


@final
@dataclass(frozen=True)
class Uniform(Rule):
    """The same for everybody, whatever it brings them: the paper's first baseline.

    What limits take away or give is levelled out over the others, so that the budget is used up. It does not look at
    the curves, and goes beyond their peaks.
    """

    @override
    def allocate(self, utility: Utility, budget: float) -> Allocation:
        curves, budget = self._prepared(utility, budget)
        spend = scaled_to(np.ones(curves.n_agents), curves.floor, curves.cap, budget)
        return self._finished(curves, spend, budget)
