"""What a frontier experiment compares, and what each of its arms begins with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import torch
from pydantic import Field
from safetensors.torch import load_file, save_file

from compecon.compression.importance import IMPORTANCES
from compecon.settings.model import OneOf, settings_model
from compecon.studies.bundled_models import Say
from compecon.studies.experiment_run import Records
from compecon.tasks.encode_rows import encode
from compecon.tasks.objectives import objective_of
from compecon.tasks.task import Task
from compecon.training.arms import Start
from compecon.training.fine_tuning import fine_tune
from compecon.training.incentive_settings import IncentiveSettings
from compecon.training.training_settings import FineTuneSettings
from compecon.training.training_setup import with_soft_targets

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_Share = Annotated[float, Field(gt=0, le=1)]
_Price = Annotated[float, Field(ge=0)]
_Seed = Annotated[int, Field(ge=0)]
_Method = Annotated[str, OneOf(lambda: IMPORTANCES)]


@settings_model
class FrontierPlan:
    """What to run. Shares are of the MACs of heads and neurons."""

    targets: tuple[_Share, ...] = Field(default=(0.6, 0.5, 0.4, 0.3), description="Shares to come down to.")
    screened: tuple[_Share, ...] = Field(
        default=(0.5, 0.3), description="Those of them at which all rivals run on the first seed, to choose finalists."
    )
    prices: tuple[_Price, ...] = Field(default=(0.3, 1.0, 3.0), description="Fixed prices to try on the first seed.")
    ablated: tuple[_Share, ...] = Field(
        default=(), description="Targets at which heads alone, neurons alone, and both are priced on the first seed."
    )
    seeds: tuple[_Seed, ...] = Field(default=(0, 1, 2), min_length=1, description="Each has its own dense model.")
    dense: FineTuneSettings | None = Field(
        default=FineTuneSettings(),
        description="How the dense models are trained; None if the given model is trained on the task already and is "
        "the dense one of all seeds, which then differ in everything after it.",
    )
    after: FineTuneSettings = Field(
        default=FineTuneSettings(epochs=2), description="How every arm is trained after that."
    )
    incentive: IncentiveSettings = Field(default=IncentiveSettings(), description="What is priced, but for the target.")
    methods: tuple[_Method, ...] = Field(default=tuple(IMPORTANCES), description="The rivals.")
    finalists: int = Field(
        default=2,
        ge=1,
        description="Number of rivals, the best by dev on the first seed, run at all targets and seeds.",
    )
    teacher_share: float = Field(
        default=0.5, ge=0, le=1, description="Weight of the dense model's logits in the loss of every arm."
    )
    max_tokens: int = Field(default=128, ge=2, description="Longer texts are cut.")


@dataclass(frozen=True, eq=False)
class Study:
    """A task, models to start from, and where the records go."""

    task: Task  # the task, with splits "train", "dev" and "test"
    tokenizer: PreTrainedTokenizerBase
    fresh: Callable[[int], Any]  # a seed to a model before it has learnt the task
    plan: FrontierPlan
    folder: Path  # for records and models
    say: Say  # gets progress, a sentence at a time

    @property
    def records(self) -> Records:
        """The records."""
        return Records(self.folder / "records")


def start_of(study: Study, seed: int) -> Start:
    """The dense model of a seed, trained now or read, and what every arm is given."""
    task, plan = study.task, study.plan
    rows = encode(study.tokenizer, task.part("train"), plan.max_tokens)
    model = study.fresh(seed)
    stored = study.folder / f"dense-s{seed}.safetensors"
    if stored.is_file():
        model.load_state_dict(load_file(stored))
    elif plan.dense is not None:
        result = fine_tune(model, study.tokenizer, rows, objective_of(task.kind), replace(plan.dense, seed=seed))
        study.folder.mkdir(parents=True, exist_ok=True)
        save_file({name: part.contiguous() for name, part in model.state_dict().items()}, stored)
        study.say(f"{task.name} seed {seed}: dense, {result.steps} steps in {result.seconds:.0f} s")
    taught = with_soft_targets(model, study.tokenizer, rows)
    settings = replace(plan.after, seed=seed)
    settings = replace(settings, steps=settings.total_steps(len(rows)))
    torch.manual_seed(seed)
    return Start(model, study.tokenizer, taught, objective_of(task.kind, plan.teacher_share), settings)
