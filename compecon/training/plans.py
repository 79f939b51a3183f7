"""How to get from a checkpoint to another one: plans of a training and of a pruning. Loads without torch."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any

from pydantic import Field

from compecon.compression.importance import IMPORTANCES
from compecon.errors import SettingError
from compecon.settings.model import OneOf, Shown, settings_model
from compecon.training.elastic_settings import ElasticSettings
from compecon.training.incentive_settings import IncentiveSettings
from compecon.training.training_settings import FineTuneSettings

_MaxTokens = Annotated[
    int, Field(ge=2, description="Maximum number of tokens; longer texts are truncated. Row length of language tasks.")
]


@settings_model
class TrainPlan:
    """How to train a checkpoint; each field has a description."""

    settings: FineTuneSettings = Field(default_factory=FineTuneSettings, description="How to train.")
    incentive: IncentiveSettings | None = Field(
        default=None, description="What is priced; None to fine-tune the model as large as it is."
    )
    elastic: ElasticSettings | None = Field(
        default=None, description="Sizes that one checkpoint is to serve; None for a single one."
    )
    teacher_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Weight of the original model's logits in the loss while the model shrinks, in [0, 1]; unused for "
        "language tasks.",
    )
    max_tokens: _MaxTokens = 128

    def __post_init__(self) -> None:
        if self.elastic is not None and self.incentive is not None:
            raise SettingError("elastic", "trains every size, so it goes with neither a target nor a price.")
        if self.elastic is not None and (self.settings.steps or len(self.elastic.budgets)) < len(self.elastic.budgets):
            sizes = len(self.elastic.budgets)
            raise SettingError(
                "steps", f"must be at least {sizes}, one for each elastic size, got {self.settings.steps}."
            )
        if self.settings.hidden_weight and not self.shrinks:
            why = "needs a teacher, but without a target, a price or elastic sizes there is none. Set it to 0."
            raise SettingError("hidden_weight", why)

    @property
    def shrinks(self) -> bool:
        """Whether the checkpoint becomes smaller, or gets smaller sizes."""
        return self.incentive is not None or self.elastic is not None

    def written(self) -> dict[str, Any]:
        """JSON values; what earlier versions did not have is left out where it is not used."""
        said = asdict(self)
        return {name: value for name, value in said.items() if name != "elastic" or value is not None}

    @property
    def first(self) -> FineTuneSettings:
        """How a model without a head for the task learns it before compute is priced: no teacher yet."""
        return replace(self.settings, hidden_weight=0.0)


@settings_model
class PrunePlan:
    """How to prune a checkpoint; each field has a description."""

    method: Annotated[str, OneOf(lambda: IMPORTANCES)] = Field(
        default="fisher", description="Importance that decides which units stay."
    )
    target: Annotated[float, Shown(options=("--target-macs", "--target"))] = Field(
        default=0.5, gt=0, le=1, description="Largest share of the MACs of heads and neurons to keep, in (0, 1]."
    )
    recovery: FineTuneSettings | None = Field(
        default_factory=FineTuneSettings, description="How to train what is left; None not to."
    )
    seed: int = Field(default=0, description="Of a method that is random.")
    teacher_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Weight of the original model's logits in the loss of the recovery, in [0, 1].",
    )
    max_tokens: _MaxTokens = 128
