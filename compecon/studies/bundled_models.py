"""Train the bundled models: encoders cut from a pretrained one, and a causal model from scratch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from pydantic import Field

from compecon.checkpoints.pretrained import Base, classifier
from compecon.checkpoints.scratch import small_gpt2, train_tokenizer
from compecon.evaluation.evaluate_model import evaluate
from compecon.settings.model import settings_model
from compecon.tasks.encode_rows import encode
from compecon.tasks.language_task import LanguageTask
from compecon.tasks.objectives import next_token_loss, objective_of
from compecon.tasks.task import Task
from compecon.training.fine_tuning import fine_tune
from compecon.training.training_settings import FineTuneSettings
from compecon.training.training_setup import with_soft_targets

LAYERS = 3  # of the bundled encoders
_TEACHER_SHARE = 0.7
Say = Callable[[str], None]


@settings_model
class EncoderPlan:
    """How to train one encoder."""

    student: FineTuneSettings = Field(description="Settings of the model that is kept.")
    teacher: FineTuneSettings | None = Field(
        default=None, description="Settings of the whole encoder as its teacher; None to learn from the targets alone."
    )
    layers: int = Field(default=LAYERS, ge=1, description="How many layers to keep.")
    max_tokens: int = Field(default=128, ge=2, description="Longer texts are cut, in training and in measuring.")
    rehearsal: FineTuneSettings | None = Field(
        default=None, description='Settings of a first round on the task\'s "rehearsal" rows; None for no such round.'
    )


@settings_model
class CausalPlan:
    """How to train the causal model."""

    settings: FineTuneSettings = Field(
        default=FineTuneSettings(epochs=2, learning_rate=3e-3, head_multiplier=1, weight_decay=0.1, warmup=0.05),
        description="Settings of the training.",
    )
    pieces: int = Field(default=4096, ge=1, description="Size of its vocabulary.")
    width: int = Field(default=160, ge=1, description="Width of the residual stream.")
    layers: int = Field(default=4, ge=1, description="Number of layers.")
    positions: int = Field(default=256, ge=1, description="Longest input, and length of training rows, in tokens.")


def fresh_classifier(base: Base, task: Task, layers: int, seed: int) -> Any:
    """A classifier for a task on the first layers of a base; its head is drawn with the seed."""
    torch.manual_seed(seed)
    return classifier(base, layers, task.labels, regression=task.kind == "regression")


def train_encoder(base: Base, task: Task, plan: EncoderPlan, *, seed: int, report: Say) -> Any:
    """A `BertForSequenceClassification` on the first layers of a base, fine-tuned and in evaluation mode."""
    objective = objective_of(task.kind, _TEACHER_SHARE)

    def train(model: Any, rows: Any, settings: FineTuneSettings, what: str) -> None:
        fine_tune(model, base.tokenizer, rows, objective, replace(settings, seed=seed))
        dev = evaluate(model, base.tokenizer, task, "dev", max_tokens=plan.max_tokens).estimate
        report(f"{task.name}: {what}, dev {task.metric} {dev}")

    rows = encode(base.tokenizer, task.splits["train"], plan.max_tokens)
    if plan.teacher is not None:
        teacher = fresh_classifier(base, task, base.encoder.config.num_hidden_layers, seed)
        train(teacher, rows, plan.teacher, "teacher")
        rows = with_soft_targets(teacher, base.tokenizer, rows)
    student = fresh_classifier(base, task, plan.layers, seed)
    if plan.rehearsal is not None:
        more = encode(base.tokenizer, task.splits["rehearsal"], plan.max_tokens)
        train(student, more, plan.rehearsal, "rehearsed")
    train(student, rows, plan.student, "final")
    return student


def train_causal(corpus: LanguageTask, plan: CausalPlan, *, seed: int, report: Say) -> tuple[Any, Any]:
    """A `GPT2LMHeadModel` in evaluation mode and its tokenizer, both trained on a corpus."""
    texts = [document.text for document in corpus.part("train")]
    tokenizer = train_tokenizer(texts, plan.pieces, plan.positions)
    torch.manual_seed(seed)
    model = small_gpt2(tokenizer, width=plan.width, layers=plan.layers)
    rows = encode(tokenizer, corpus.part("train"), plan.positions)
    report(f"causal: {model.num_parameters():,} parameters, {len(rows) * plan.positions:,} tokens of training text")
    fine_tune(model, tokenizer, rows, next_token_loss, replace(plan.settings, seed=seed))
    by_token, by_word = evaluate(model, tokenizer, corpus, "dev").metrics.values()
    report(f"causal: dev perplexity by token {by_token}, by word {by_word}")
    return model, tokenizer
