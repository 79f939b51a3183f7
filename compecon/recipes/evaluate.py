"""How good a model is at a task, under a key budget or without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from compecon.attention.budget import Budget
from compecon.finetune import predict
from compecon.tasks.encode import encode
from compecon.tasks.metrics import Estimate
from compecon.tasks.task import Task


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A task's metric on a split, and what it was computed from.

    Attributes:
        estimate: The metric with its interval.
        predictions: Shape (row,): class indices, or scores.
    """

    estimate: Estimate
    predictions: np.ndarray


def evaluate(
    model: Any, tokenizer: Any, task: Task, split: str, *, max_tokens: int = 128, budget: Budget | None = None
) -> Evaluation:
    """The task's metric on a split.

    Args:
        model: A sequence classifier, or a regression of one score.
        tokenizer: Its tokenizer.
        task: The task.
        split: Name of the split.
        max_tokens: Longer texts are cut.
        budget: How many keys each query may read; None: all it sees.
    """
    rows = task.part(split)
    logits = predict(model, tokenizer, encode(tokenizer, rows, max_tokens), budget=budget)
    predictions = task.predictions(logits.numpy())
    return Evaluation(task.score(predictions, rows.targets), predictions)
