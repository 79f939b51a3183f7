"""What the bundled family consists of: every size from one training, and the pruned rival to compare it with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from pydantic import Field

from compecon.compression.elastic.price_list import PriceList
from compecon.settings.model import settings_model
from compecon.studies.any_budget import KEYS
from compecon.training.arms import Outcome, Start, pruned, recovered
from compecon.training.elastic import train_elastic
from compecon.training.elastic_settings import ElasticSettings
from compecon.training.training_settings import FineTuneSettings

PARENTS = ("sentiment", "similarity")
ELASTIC = "elastic"


@settings_model
class FamilyPlan:
    """How the family is trained."""

    after: FineTuneSettings = Field(
        default=FineTuneSettings(epochs=1.5), description="How the rivals are trained; embeddings stay as they are."
    )
    elastic: FineTuneSettings = Field(
        default=FineTuneSettings(steps=3000, learning_rate=2e-4, key_budgets=KEYS, full_share=0.5),
        description="How the elastic checkpoints are trained, over sizes and key budgets at once.",
    )
    sizes: ElasticSettings = Field(default=ElasticSettings(), description="Their sizes.")
    teacher_share: float = Field(default=0.5, ge=0, le=1, description="Weight of the parent's logits in the loss.")


@final
@dataclass(frozen=True, eq=False)
class Made:
    """A member's model."""

    outcome: Outcome
    prices: PriceList | None = None  # of one that serves every size


@final
@dataclass(frozen=True)
class Member:
    """A checkpoint of the family."""

    suffix: str  # its name is that of its parent, a hyphen, and this
    title: str  # shown after the parent's name
    make: Callable[[Start, FamilyPlan], Made]  # the start has the settings of this member's training
    method: str  # "elastic", or the name of a post-hoc method
    target: float | None = None  # share of the MACs of heads and neurons; None for all of them

    @property
    def is_elastic(self) -> bool:
        """Whether it serves every size."""
        return self.method == ELASTIC

    def settings(self, plan: FamilyPlan) -> FineTuneSettings:
        """How it is trained."""
        return plan.elastic if self.is_elastic else plan.after


def _elastic(start: Start, plan: FamilyPlan) -> Made:
    result = train_elastic(
        start.model, start.tokenizer, start.rows, start.objective, plan.sizes, start.settings, teacher=start.model
    )
    prices, model = result.elastic.prices, result.elastic.model
    n_units = len(prices.columns)
    spent = result.trained
    outcome = Outcome(model, prices.kept(n_units), prices.share(n_units), steps=spent.steps, seconds=spent.seconds)
    return Made(outcome, prices)


def _rival(percent: int, method: str) -> Member:
    def make(start: Start, _plan: FamilyPlan) -> Made:
        return Made(recovered(start, pruned(start, method, percent / 100)))

    return Member(f"{percent}-{method}", f"{percent}% of the MACs ({method})", make, method, percent / 100)


MEMBERS = (Member(ELASTIC, "every size (elastic)", _elastic, ELASTIC), _rival(45, "taylor"))
BY_NAME = {f"{parent}-{member.suffix}": member for parent in PARENTS for member in MEMBERS}
FAMILY = tuple(BY_NAME)
