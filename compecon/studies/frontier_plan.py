"""What a frontier experiment compares, and what each of its arms begins with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file

from compecon.compression.importance import IMPORTANCES
from compecon.evaluation.predict_rows import predict
from compecon.studies.experiment_run import Records
from compecon.tasks.encode_rows import encode
from compecon.tasks.objectives import objective_of
from compecon.tasks.task import Task
from compecon.training.arms import Start
from compecon.training.fine_tuning import fine_tune
from compecon.training.incentive_settings import IncentiveSettings
from compecon.training.training_settings import FineTuneSettings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


Say = Callable[[str], None]


@dataclass(frozen=True)
class FrontierPlan:
    """What to run.

    Attributes:
        targets: Shares of the MACs of heads and neurons.
        screened: Those of them at which all rivals run on the first seed, to choose the best two by.
        prices: Fixed prices to try on the first seed.
        ablated: Targets at which heads alone, neurons alone, and both are priced on the first seed.
        seeds: Each has a dense model of its own.
        dense: How the dense models are trained; None if the given model knows the task and is the dense one of all
            seeds, which then differ in everything after it.
        after: How every arm is trained after that.
        incentive: What is priced, but for the target.
        methods: The rivals.
        finalists: How many of them, the best by dev on the first seed, run at all targets and seeds.
        teacher_share: Weight of the dense model's logits in the loss of every arm.
        max_tokens: Longer texts are cut.
    """

    targets: tuple[float, ...] = (0.6, 0.5, 0.4, 0.3)
    screened: tuple[float, ...] = (0.5, 0.3)
    prices: tuple[float, ...] = (0.3, 1.0, 3.0)
    ablated: tuple[float, ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2)
    dense: FineTuneSettings | None = field(default_factory=FineTuneSettings)
    after: FineTuneSettings = field(default_factory=lambda: FineTuneSettings(epochs=2))
    incentive: IncentiveSettings = field(default_factory=IncentiveSettings)
    methods: tuple[str, ...] = tuple(IMPORTANCES)
    finalists: int = 2
    teacher_share: float = 0.5
    max_tokens: int = 128


@dataclass(frozen=True, eq=False)
class Study:
    """A task, models to start from, and where the records go.

    Attributes:
        task: The task, with splits "train", "dev" and "test".
        tokenizer: Tokenizer of the models.
        fresh: Seed -> a model before it has learnt the task.
        plan: What to run.
        folder: For records and models.
        say: Is told of progress, a sentence at a time.
    """

    task: Task
    tokenizer: PreTrainedTokenizerBase
    fresh: Callable[[int], Any]
    plan: FrontierPlan
    folder: Path
    say: Say

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
    soft = predict(model, study.tokenizer, rows).tolist()
    taught = [{**row, "soft_targets": target} for row, target in zip(rows, soft, strict=True)]
    settings = replace(plan.after, seed=seed)
    settings = replace(settings, steps=settings.total_steps(len(rows)))
    torch.manual_seed(seed)
    return Start(model, study.tokenizer, taught, objective_of(task.kind, plan.teacher_share), settings)
