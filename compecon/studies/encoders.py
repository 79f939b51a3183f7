"""Train the bundled encoders: the first layers of a pretrained one under a classifier, taught by all of its layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from compecon.checkpoints.pretrained import Base, classifier
from compecon.evaluation.evaluate_model import evaluate
from compecon.evaluation.predict_rows import predict
from compecon.tasks.encode_rows import encode
from compecon.tasks.objectives import Objective, classification_loss, regression_loss
from compecon.tasks.task import Task
from compecon.tasks.task_metrics import Estimate
from compecon.training.fine_tuning import fine_tune
from compecon.training.training_settings import FineTuneSettings

_TEACHER_SHARE = 0.7

Report = Callable[[str], None]


@dataclass(frozen=True)
class EncoderPlan:
    """How to train one encoder.

    Attributes:
        student: Settings of the model that is kept.
        teacher: Settings of the whole encoder that teaches it; None to learn from the targets alone.
        layers: How many layers to keep.
        max_tokens: Longer texts are cut, in training and in measuring.
        rehearsal: Settings of the round on the task's "rehearsal" rows that comes first; None for no such round.
    """

    student: FineTuneSettings
    teacher: FineTuneSettings | None = None
    layers: int = 3
    max_tokens: int = 128
    rehearsal: FineTuneSettings | None = None


def train_encoder(base: Base, task: Task, plan: EncoderPlan, *, seed: int, report: Report) -> Any:
    """Fine-tune a classifier on the first layers of a base.

    Args:
        base: The pretrained encoder on the bundle's vocabulary.
        task: What to learn; only what it has to learn from is read, and dev for the report.
        plan: How.
        seed: For the heads, the order of rows and dropout.
        report: Is told each step in a sentence.

    Returns:
        A `BertForSequenceClassification` in evaluation mode.
    """
    rows = encode(base.tokenizer, task.splits["train"], plan.max_tokens)
    if plan.teacher is not None:
        teacher = _new(base, task, base.encoder.config.num_hidden_layers, seed)
        fine_tune(teacher, base.tokenizer, rows, _objective(task), replace(plan.teacher, seed=seed))
        report(f"{task.name}: teacher, dev {task.metric} {measure(teacher, base, task, 'dev', plan.max_tokens)}")
        soft = predict(teacher, base.tokenizer, rows).tolist()
        rows = [{**row, "soft_targets": target} for row, target in zip(rows, soft, strict=True)]
    student = _new(base, task, plan.layers, seed)
    if plan.rehearsal is not None:
        more = encode(base.tokenizer, task.splits["rehearsal"], plan.max_tokens)
        fine_tune(student, base.tokenizer, more, _objective(task), replace(plan.rehearsal, seed=seed))
        report(f"{task.name}: rehearsed, dev {task.metric} {measure(student, base, task, 'dev', plan.max_tokens)}")
    fine_tune(student, base.tokenizer, rows, _objective(task), replace(plan.student, seed=seed))
    report(f"{task.name}: final, dev {task.metric} {measure(student, base, task, 'dev', plan.max_tokens)}")
    return student


def measure(model: Any, base: Base, task: Task, split: str, max_tokens: int) -> Estimate:
    """The task's metric on a split.

    Args:
        model: A `BertForSequenceClassification`.
        base: Brings the tokenizer.
        task: The task.
        split: Name of the split.
        max_tokens: Longer texts are cut.
    """
    return evaluate(model, base.tokenizer, task, split, max_tokens=max_tokens).estimate


def _new(base: Base, task: Task, layers: int, seed: int) -> Any:
    torch.manual_seed(seed)  # the head is drawn here
    return classifier(base, layers, task.labels, regression=task.kind == "regression")


def _objective(task: Task) -> Objective:
    make = regression_loss if task.kind == "regression" else classification_loss
    return make(_TEACHER_SHARE)
