"""How good a model is at a task, under a key budget or without."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from compecon.attention.budget import Budget
from compecon.attention.hooks import budgeted_attention
from compecon.attention.policies.policy import Policy
from compecon.attention.policies.top_k import TopK
from compecon.callbacks import NOBODY, Batches, Callbacks
from compecon.checkpoints.load import Checkpoint
from compecon.checkpoints.scratch import document_nats
from compecon.errors import TaskError
from compecon.evaluation.as_given import require_measurable
from compecon.evaluation.predict_rows import predict
from compecon.tasks.cut import Cut, cut_rows
from compecon.tasks.encode_rows import encode, mean_length
from compecon.tasks.labels import LabelMatch
from compecon.tasks.language_task import LanguageTask
from compecon.tasks.task import Kind, Task
from compecon.tasks.task_metrics import Estimate, perplexity
from compecon.tasks.task_registry import AnyTask
from compecon.tasks.understood_task import described

BY_TOKEN, BY_WORD = "perplexity by token", "perplexity by word"
_HEADS: Mapping[Kind, str] = {
    "classification": "classification",
    "regression": "regression",
    "language": "causal-lm",
}
_LONGEST_WINDOW = 1024
_HIGHEST_LOGITS = TopK()


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a model scored on a split, and what that was computed from.

    Attributes:
        metrics: The task's metrics by name, the one that is chosen by first; for a language task the perplexity by
            token, then that by word.
        predictions: Shape (row,): class indices in the task's order, scores, or nats of a document.
        targets: Shape (row,): what the metric that is chosen by compares them with: class indices, scores, or tokens.
        losses: Shape (row,): cross-entropy in nats, squared error, or nats a token.
        n_tokens: Mean length of what the model read at a time.
        cut: How much of the texts was too long to be read; None for documents, which are read whole.
    """

    metrics: Mapping[str, Estimate]
    predictions: np.ndarray
    targets: np.ndarray
    losses: np.ndarray
    n_tokens: int
    cut: Cut | None = None

    @property
    def estimate(self) -> Estimate:
        """The metric that is chosen by."""
        return next(iter(self.metrics.values()))


def evaluate(  # noqa: PLR0913 - a measurement has these conditions
    model: Any,
    tokenizer: Any,
    task: AnyTask,
    split: str,
    *,
    max_tokens: int = 128,
    budget: Budget | None = None,
    policy: Policy = _HIGHEST_LOGITS,
    match: LabelMatch | None = None,
    callbacks: Callbacks = NOBODY,
) -> Evaluation:
    """A task's metrics on a split.

    Args:
        model: A sequence classifier, a regression of one score, or a causal language model.
        tokenizer: Its tokenizer.
        task: The task.
        split: Name of the split.
        max_tokens: Longer texts are cut. Documents are not: they are read in windows as long as the model's positions,
            at most 1,024 tokens.
        budget: How many keys each query may read; None: all it sees.
        policy: Which keys these are.
        match: Which output is which class; in the task's order if None.
        callbacks: Called with each batch or document; its watch is asked after each whether to stop.

    Returns:
        The task's metrics with their 95% intervals, and each row's prediction and loss.

    Raises:
        TaskError: If the task has no such split.
        TrainingInterruptedError: If the watch asked to stop.
        ValueError: If the model does not compute in float32, with its own `forward` and without dropout.

    Examples:
        >>> from compecon import KeyBudget, evaluate, load_checkpoint
        >>> from compecon.tasks import Split, Task
        >>> from compecon.tasks.task_metrics import accuracy
        >>> rows = Split(texts=("a delight", "a bore"), pairs=(), targets=np.array([1, 0]))
        >>> task = Task("mine", "classification", ("negative", "positive"), {"dev": rows}, (accuracy,))
        >>> checkpoint = load_checkpoint("sentiment")
        >>> found = evaluate(checkpoint.model, checkpoint.tokenizer, task, "dev", budget=KeyBudget(keys=3))
        >>> found.estimate.value, found.predictions.tolist()
        (1.0, [1, 0])
    """
    require_measurable(model)
    with budgeted_attention(model, budget, policy) if budget else nullcontext():
        if isinstance(task, LanguageTask):
            return _of_documents(model, tokenizer, task, split, callbacks)
        return _of_rows(model, tokenizer, task, split, max_tokens, match, callbacks)


def evaluate_checkpoint(  # noqa: PLR0913 - as of `evaluate`
    checkpoint: Checkpoint,
    task: AnyTask,
    split: str,
    *,
    max_tokens: int = 128,
    budget: Budget | None = None,
    policy: Policy = _HIGHEST_LOGITS,
    callbacks: Callbacks = NOBODY,
) -> Evaluation:
    """A task's metrics of a checkpoint, whatever the order of its labels.

    Args:
        checkpoint: The checkpoint.
        task: The task.
        split: Name of the split.
        max_tokens: Longer texts are cut, also to what the checkpoint can read.
        budget: As of `evaluate`.
        policy: As of `evaluate`.
        callbacks: As of `evaluate`.

    Raises:
        TaskError: If the checkpoint is not made for the task, or there is no such split.
        TrainingInterruptedError: If the watch asked to stop.
    """
    return evaluate(
        checkpoint.model,
        checkpoint.tokenizer,
        task,
        split,
        max_tokens=within(checkpoint, max_tokens),
        budget=budget,
        policy=policy,
        match=head_for(checkpoint, task),
        callbacks=callbacks,
    )


def head_for(checkpoint: Checkpoint, task: AnyTask) -> LabelMatch | None:
    """Which output of a checkpoint is which class of a task; None where there are no classes: language modelling.

    Raises:
        TaskError: If the checkpoint's head is not made for the task.
    """
    if checkpoint.kind != _HEADS[task.kind]:
        raise TaskError(
            f"{task.name} needs a model of kind {_HEADS[task.kind]}, but {checkpoint.name} is of kind "
            f"{checkpoint.kind}. Choose another, or train one on the task."
        )
    return task.check_labels(checkpoint.labels) if isinstance(task, Task) else None


def tell_match(checkpoint: Checkpoint, task: AnyTask, match: LabelMatch | None, callbacks: Callbacks) -> None:
    """Say, before any work, how the task's files were understood, and which class is which output."""
    if not isinstance(task, Task):
        return
    for line in described(task) if task.reading is not None else ():
        callbacks.say(line)
    if match is not None and task.kind == "classification":
        callbacks.say(f"{checkpoint.name}: {match.shown(task.labels, checkpoint.labels)}.")


def within(checkpoint: Checkpoint, max_tokens: int) -> int:
    """A length in tokens, at most what a checkpoint can read."""
    return min(max_tokens, checkpoint.preflight.max_positions or max_tokens)


def _of_rows(  # noqa: PLR0913 - as of `evaluate`
    model: Any,
    tokenizer: Any,
    task: Task,
    split: str,
    max_tokens: int,
    match: LabelMatch | None,
    callbacks: Callbacks,
) -> Evaluation:
    part = task.part(split)
    rows = encode(tokenizer, part, max_tokens)
    logits = predict(model, tokenizer, rows, callbacks=callbacks).numpy()
    predictions = task.predictions(logits, match)
    metrics = {metric.name: metric(predictions, part.targets) for metric in task.metrics}
    losses = _losses(task, logits, predictions, part.targets, match)
    cut = cut_rows(tokenizer, part, rows, max_tokens)
    return Evaluation(metrics, predictions, part.targets, losses, mean_length(rows), cut)


def _losses(
    task: Task, logits: np.ndarray, predictions: np.ndarray, targets: np.ndarray, match: LabelMatch | None
) -> np.ndarray:
    """Loss of each row: squared error of a score, else cross-entropy in nats; shape (row,), float64."""
    if task.kind == "regression":
        squared: np.ndarray = (predictions.astype(float) - targets) ** 2
        return squared
    ordered = logits.astype(float) if match is None else logits.astype(float)[:, list(match.columns)]
    lifted = ordered - ordered.max(axis=1, keepdims=True)
    nats: np.ndarray = np.log(np.exp(lifted).sum(axis=1)) - lifted[np.arange(len(targets)), targets]
    return nats


def _of_documents(model: Any, tokenizer: Any, task: LanguageTask, split: str, callbacks: Callbacks) -> Evaluation:
    documents = task.part(split)
    length = min(model.config.max_position_embeddings, _LONGEST_WINDOW)
    read_so_far, found = Batches(callbacks, "documents", len(documents)), list[tuple[float, int]]()
    for each in documents:
        ids = tokenizer(each.text, add_special_tokens=False, verbose=False)["input_ids"]
        found.append((document_nats(model, ids, length=length), len(ids)))
        read_so_far.done()
    nats, tokens = (np.array(column) for column in zip(*found, strict=True))
    words = np.array([each.words for each in documents])
    metrics = {perplexity.name: perplexity(nats, tokens), BY_WORD: perplexity(nats, words)}
    n_tokens = max(1, min(length, round(float(tokens.mean()))))
    return Evaluation(metrics, nats, tokens, nats / np.maximum(tokens, 1), n_tokens)
