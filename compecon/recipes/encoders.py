"""Train the bundled encoders: the first layers of a pretrained one under a classifier, taught by all of its layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from compecon.checkpoints.pretrained import Base, classifier
from compecon.finetune import FineTuneSettings, Objective, classification_loss, fine_tune, predict, regression_loss
from compecon.tasks.encode import Features, encode
from compecon.tasks.metrics import Estimate
from compecon.tasks.task import Task

_TEACHER_SHARE = 0.7
_BODY = "bert."

Report = Callable[[str], None]


@dataclass(frozen=True)
class EncoderPlan:
    """How to train one encoder.

    Attributes:
        student: Settings of the model that is kept.
        teacher: Settings of the whole encoder that teaches it; None to learn from the targets alone.
        layers: How many layers to keep.
        max_tokens: Longer texts are cut, in training and in measuring.
        start: Name of the checkpoint whose layers the student starts from; the pretrained ones if empty.
    """

    student: FineTuneSettings
    teacher: FineTuneSettings | None = None
    layers: int = 3
    max_tokens: int = 128
    start: str = ""


def train_encoder(
    base: Base, task: Task, plan: EncoderPlan, *, seed: int, report: Report, start: Mapping[str, Tensor] | None = None
) -> Any:
    """Fine-tune a classifier on the first layers of a base.

    Args:
        base: The pretrained encoder on the bundle's vocabulary.
        task: What to learn; only its train split is read, and dev for the report.
        plan: How.
        seed: For the heads, the order of rows and dropout.
        report: Is told each step in a sentence.
        start: Weights of another classifier of as many layers, to start from; its head is not used.

    Returns:
        A `BertForSequenceClassification` in evaluation mode.
    """
    rows = encode(base.tokenizer, task.splits["train"], plan.max_tokens)
    if plan.teacher is not None:
        teacher = _fine_tuned(base, task, rows, base.encoder.config.num_hidden_layers, replace(plan.teacher, seed=seed))
        report(f"{task.name}: teacher, dev {task.metric} {measure(teacher, base, task, 'dev', plan.max_tokens)}")
        soft = predict(teacher, base.tokenizer, rows).tolist()
        rows = [{**row, "soft_targets": target} for row, target in zip(rows, soft, strict=True)]
    student = _fine_tuned(base, task, rows, plan.layers, replace(plan.student, seed=seed), start)
    report(
        f"{task.name}: {plan.layers} layers, dev {task.metric} {measure(student, base, task, 'dev', plan.max_tokens)}"
    )
    return student


def measure(model: Any, base: Base, task: Task, split: str, max_tokens: int) -> Estimate:
    """The task's metric on a split.

    Args:
        model: A `BertForSequenceClassification`.
        base: Brings the tokenizer.
        task: The task.
        split: "dev" or "test".
        max_tokens: Longer texts are cut.
    """
    rows = task.splits[split]
    logits = predict(model, base.tokenizer, encode(base.tokenizer, rows, max_tokens))
    predictions: np.ndarray = (logits[:, 0] if task.kind == "regression" else logits.argmax(-1)).numpy()
    return task.score(predictions, rows.targets)


def _fine_tuned(
    base: Base,
    task: Task,
    rows: list[Features],
    layers: int,
    settings: FineTuneSettings,
    start: Mapping[str, Tensor] | None = None,
) -> Any:
    torch.manual_seed(settings.seed)  # the head is drawn here
    model = classifier(base, layers, task.labels, regression=task.kind == "regression")
    if start is not None:
        own_head = {name: value for name, value in model.state_dict().items() if not name.startswith(_BODY)}
        model.load_state_dict({name: value for name, value in start.items() if name.startswith(_BODY)} | own_head)
    fine_tune(model, base.tokenizer, rows, _objective(task), settings)
    return model


def _objective(task: Task) -> Objective:
    make = regression_loss if task.kind == "regression" else classification_loss
    return make(_TEACHER_SHARE)
