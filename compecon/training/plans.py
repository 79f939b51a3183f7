"""How to get from a checkpoint to another one: plans of a training and of a pruning. Loads without torch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from compecon.training.incentive_settings import IncentiveSettings
from compecon.training.training_settings import FineTuneSettings

PruneMethod = Literal["random", "magnitude", "uniform", "taylor", "fisher"]


@dataclass(frozen=True)
class TrainPlan:
    """How to get from a checkpoint to another one.

    Attributes:
        settings: How to train.
        incentive: What is priced; None to fine-tune the model as large as it is.
        teacher_share: Weight of the given model's logits in the loss while compute is priced, in [0, 1]; a language
            task has no such teacher.
        max_tokens: Longer texts are cut; the length of a language task's rows.
    """

    settings: FineTuneSettings = field(default_factory=FineTuneSettings)
    incentive: IncentiveSettings | None = None
    teacher_share: float = 0.5
    max_tokens: int = 128

    def __post_init__(self) -> None:
        if not 0 <= self.teacher_share <= 1:
            raise ValueError(f"teacher_share must be in [0, 1], got {self.teacher_share}.")
        if self.max_tokens < 2:
            raise ValueError(f"max_tokens must be at least 2, got {self.max_tokens}.")
        if self.settings.hidden_weight and self.incentive is None:
            raise ValueError("hidden_weight needs a teacher, and without a target or price there is none. Set it to 0.")

    @property
    def first(self) -> FineTuneSettings:
        """How a model without a head for the task learns it before compute is priced: nobody teaches yet."""
        return replace(self.settings, hidden_weight=0.0)


@dataclass(frozen=True)
class PrunePlan:
    """How to prune.

    Attributes:
        method: Which units stay.
        target: Share of the MACs of heads and neurons to keep at most, in (0, 1].
        recovery: How to train what is left; None not to.
        seed: Of the method "random".
        teacher_share: Weight of the given model's logits in the loss of the recovery, in [0, 1].
        max_tokens: Longer texts are cut; the length of a language task's rows.
    """

    method: PruneMethod = "fisher"
    target: float = 0.5
    recovery: FineTuneSettings | None = field(default_factory=FineTuneSettings)
    seed: int = 0
    teacher_share: float = 0.5
    max_tokens: int = 128

    def __post_init__(self) -> None:
        if self.method not in get_args(PruneMethod):
            raise ValueError(f"method must be one of {', '.join(get_args(PruneMethod))}, got {self.method!r}.")
        if not 0 < self.target <= 1:
            raise ValueError(f"a target is a share of the dense MACs in (0, 1], got {self.target}.")
        if not 0 <= self.teacher_share <= 1:
            raise ValueError(f"teacher_share must be in [0, 1], got {self.teacher_share}.")
        if self.max_tokens < 2:
            raise ValueError(f"max_tokens must be at least 2, got {self.max_tokens}.")
