"""What every rule for sharing a budget has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from compecon.allocation.bounded import Allocation, in_whole_units, not_over
from compecon.allocation.clearing import checked_budget, clear
from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.utility import Utility


@dataclass(frozen=True, kw_only=True)
class Rule(ABC):
    """Decides how a budget is shared. No rule ever spends more than the budget, or goes beyond an agent's limits.

    Attributes:
        whole: Whether spends are whole numbers: tokens or keys. Floors are then rounded up, caps down.
    """

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
        return Allocation(spend, float(utility.value(spend).sum()), price, proven)
