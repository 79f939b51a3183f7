"""What a rule would do if it knew the truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, final

from typing_extensions import override

from compecon.allocation.bounded import Allocation
from compecon.allocation.rules.repaired import RepairedShadowPrice
from compecon.allocation.rules.rule import Rule
from compecon.allocation.utilities.utility import Utility


@final
@dataclass(frozen=True, eq=False)
class Oracle(Rule):
    """Allocates by the true curves instead of the predicted ones: no rule on predictions can be expected to do better.

    Attributes:
        truth: The true curves, of as many agents; the given ones if None. Value and bound are theirs.
        rule: The rule that shares.
        whole: Whether spends are whole numbers; see `Rule`.

    Examples:
        >>> from compecon.allocation import MeasuredCurve
        >>> predicted = MeasuredCurve([[1, 2, 4]], [[0, 1, 1], [0, 1, 1]])
        >>> truth = MeasuredCurve([[1, 2, 4]], [[0, 1, 1], [0, 0, 1]])
        >>> Oracle(truth).allocate(predicted, budget=6).spend.tolist()
        [2.0, 4.0]
    """

    needs_truth: ClassVar[bool] = True
    truth: Utility | None = None
    rule: Rule = field(default_factory=RepairedShadowPrice)

    @override
    def allocate(self, utility: Utility, budget: float) -> Allocation:
        truth = utility if self.truth is None else self.truth
        if truth.n_agents != utility.n_agents:
            raise ValueError(f"the truth is about {truth.n_agents} agents, the curves about {utility.n_agents}.")
        curves, budget = self._prepared(truth, budget)
        known = self.rule.allocate(curves, budget)
        return self._finished(curves, known.spend, budget, price=known.price, bound=known.upper_bound)
