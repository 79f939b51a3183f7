"""What every rule for sharing a budget has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from compecon.allocation.bounded import Allocation, in_whole_units, not_over, tightened
from compecon.allocation.clearing import checked_budget, clear
from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.utility import Utility


@dataclass(frozen=True, kw_only=True)
class Rule(ABC):
    """Decides how a budget is shared. No rule ever spends more than the budget, or goes beyond an agent's limits.

    Attributes:
        whole: Whether spends are whole numbers: tokens or keys. Floors are then rounded up, caps down.
        needs_truth: Whether it needs the true curves, which are known only in hindsight.

    Examples:
        >>> from compecon.allocation import RULES
        >>> isinstance(RULES.make("greedy"), Rule)
        True
    """

    needs_truth: ClassVar[bool] = False
    whole: bool = False

    @abstractmethod
    def allocate(self, utility: Utility, budget: float) -> Allocation:
        """Share a budget.

        Args:
            utility: A curve for each agent, with its limits.
            budget: Total, in the curves' unit of spend.

        Returns:
            Spends, their value, a price if the rule has one, and a bound that nothing exceeds.

        Raises:
            ValueError: If the budget is NaN, negative, infinite or below the floors, or the curves are not of the kind
                that the rule needs.
        """

    def refusal(self, utility: Utility) -> str:  # noqa: ARG002 - most rules take any curves
        """Why it cannot share a budget among such curves, to follow the rule's name and a colon; "" if it can."""
        return ""

    def at_many_budgets(self, utility: Utility) -> Rule:  # noqa: ARG002 - most rules are quick as they are
        """The same rule with settings for a screen, on which these curves are shared at dozens of budgets."""
        return self

    def is_slow(self, utility: Utility) -> bool:  # noqa: ARG002
        """Whether sharing these curves takes so long that a screen should do it at fewer budgets."""
        return False

    def set_aside(self, utility: Utility) -> Numbers | None:  # noqa: ARG002 - most rules weigh everything
        """What each agent gets whatever its value, shape (agent,), as far as the budget goes; None for nothing."""
        return None

    def note(self, utility: Utility, unit: str) -> str:  # noqa: ARG002
        """What a reader of its result should know of its settings, in a sentence or two; "" if nothing."""
        return ""

    def _prepared(self, utility: Utility, budget: float) -> tuple[Utility, float]:
        curves = utility.in_whole_units() if self.whole else utility
        return curves, checked_budget(curves, budget)

    def _finished(
        self,
        utility: Utility,
        spend: Numbers,
        budget: float,
        *,
        price: float | None = None,
        bound: float | None = None,
    ) -> Allocation:
        """Round if asked, check that nothing was overspent, and attach value and bound."""
        spend = in_whole_units(utility, spend, budget) if self.whole else spend
        spend = not_over(spend, budget)
        proven = clear(utility, budget).upper_bound if bound is None else bound
        return Allocation(spend, float(utility.value(spend).sum()), price, tightened(utility, proven))
