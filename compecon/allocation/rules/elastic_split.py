"""Answers are paid for first, thinking from what is left."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
from typing_extensions import override

from compecon.allocation.bounded import Allocation
from compecon.allocation.clearing import clear
from compecon.allocation.rules.rule import Rule
from compecon.allocation.rules.shadow_price import ShadowPrice
from compecon.allocation.rules.uniform import Uniform
from compecon.allocation.utilities.arrays import Numbers, numbers, per_agent
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.utility import Utility

_ANSWER = 50.0  # tokens for an answer on curves that were not measured, on a screen; ours


@final
@dataclass(frozen=True, eq=False)
class ElasticSplit(Rule):
    """Tokens are set aside for the answer of every agent; the rest is shared for thinking by another rule.

    So a thought that is cut off still gives an answer. Curves are of the total spend: the value of an answer without
    thinking is read off them. After Elastic Reasoning (Xu et al. 2025, arXiv 2505.05315), where all think equally long.

    Attributes:
        answer: Tokens set aside for each answer, one number or shape (agent,), at least 0; less where a cap is lower,
            and scaled down alike for all if the budget does not suffice.
        thinking: The rule that shares the rest.
        whole: Whether spends are whole numbers; see `Rule`.

    Raises:
        ValueError: If an answer is negative or not finite.

    Examples:
        >>> from compecon.allocation import MeasuredCurve
        >>> curves = MeasuredCurve([[1, 2, 4]], [[0, 1, 1], [0, 0, 1]])
        >>> ElasticSplit(answer=1).allocate(curves, budget=6).spend.tolist()
        [3.0, 3.0]
        >>> ElasticSplit(answer=1, thinking=ShadowPrice()).allocate(curves, budget=6).spend.tolist()
        [2.0, 4.0]
    """

    answer: float | Numbers = 0.0
    thinking: Rule = field(default_factory=Uniform)

    def __post_init__(self) -> None:
        numbers(self.answer, "answer")

    @override
    def allocate(self, utility: Utility, budget: float) -> Allocation:
        curves, budget = self._prepared(utility, budget)
        room = budget - float(curves.floor.sum())
        answer = per_agent(curves.n_agents, answer=numbers(self.answer, "answer"))["answer"]
        wanted = np.clip(answer, curves.floor, curves.cap) - curves.floor
        share = min(1.0, room / float(wanted.sum())) if wanted.any() else 0.0
        answers = curves.floor + wanted * share
        with_answers = curves.within(floor=np.floor(answers) if self.whole else answers)
        thought = self.thinking.allocate(with_answers, max(budget, float(with_answers.floor.sum())))
        return self._finished(
            curves, thought.spend, budget, price=thought.price, bound=clear(curves, budget).upper_bound
        )

    @override
    def at_many_budgets(self, utility: Utility) -> Rule:
        least_tried = utility.levels[:, 0] if isinstance(utility, MeasuredCurve) else _ANSWER
        return replace(self, answer=least_tried, thinking=ShadowPrice())

    @override
    def set_aside(self, utility: Utility) -> Numbers:
        return per_agent(utility.n_agents, answer=numbers(self.answer, "answer"))["answer"]

    @override
    def note(self, utility: Utility, unit: str) -> str:
        of = "the smallest measured amount" if isinstance(utility, MeasuredCurve) else f"{self.answer:g} {unit}"
        return (
            f"Elastic split first reserves {of} for the answer of every query, whatever its value, and shares the rest "
            "at one price. If the budget is too small for that, all get the same share of the reserve."
        )
