"""A checkpoint and a task brought together: a head that fits, rows that the model reads, and what a teacher says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from compecon.callbacks import Callbacks
from compecon.checkpoints.heads import with_fresh_head
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.checkpoints.save import require_empty
from compecon.compression.shape import COMPACT
from compecon.errors import CheckpointError, TaskError
from compecon.evaluation.evaluate_model import head_for, tell_match, within
from compecon.evaluation.predict_rows import predict
from compecon.tasks.cut import cut_rows
from compecon.tasks.encode_rows import Features, Windows, encode, mean_length
from compecon.tasks.labels import LabelMatch
from compecon.tasks.task import Task
from compecon.tasks.task_registry import AnyTask

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True, eq=False)
class TrainingSetup:
    """What a training begins with."""

    checkpoint: Checkpoint  # the parent
    task: AnyTask
    model: PreTrainedModel  # the parent's, or one with its body and a fresh head
    knows: bool  # whether it is the parent's own head, which was made for the task
    match: LabelMatch | None  # which of the head's outputs is which class; None if they are in order, or no classes
    rows: Sequence[Features]  # for training, labelled in the head's order
    max_tokens: int  # longer texts were cut
    refused: str = ""  # why it is not the parent's own head; "" if it is

    @property
    def n_tokens(self) -> int:
        """Mean length of the rows: the length at which MACs are counted."""
        return mean_length(self.rows)


def prepare(  # noqa: PLR0913 - a training begins with this much
    source: str | Path,
    task: AnyTask,
    out: Path,
    callbacks: Callbacks,
    *,
    device: str,
    shrinks: bool,
    seed: int,
    max_tokens: int,
) -> TrainingSetup:
    """Load a checkpoint, bring it and a task together, and say how they fit; nothing is written.

    Its model is used as it is if its head fits, in whatever order its labels are; otherwise it gets a fresh one. Texts
    are cut to `max_tokens`, and to what the checkpoint can read.

    Raises:
        CheckpointError: If `out` has content, or the source cannot be loaded, or is compacted and to be made smaller.
        TaskError: If there are no training rows, or the task is one of language and the model none.
        UnsupportedModelError: If the checkpoint's body cannot get a head.
    """
    require_empty(out)
    callbacks.begin("loading the checkpoint", 0)
    checkpoint = load_checkpoint(source, device)
    refuse_compacted(checkpoint, shrinks)
    callbacks.begin("encoding the texts", 0)
    match, refused = _known(checkpoint, task)
    length = within(checkpoint, max_tokens)
    rows = encode(checkpoint.tokenizer, task.part("train"), length)
    tell_match(checkpoint, task, None if refused else match, callbacks)
    _tell_cut(checkpoint, task, rows, length, callbacks)
    if refused and isinstance(task, Task):
        return TrainingSetup(checkpoint, task, _with_head(checkpoint, task, seed), False, None, rows, length, refused)
    if match is None or match.in_order:
        return TrainingSetup(checkpoint, task, checkpoint.model, True, None, rows, length)
    there = [{**row, "labels": match.columns[row["labels"]]} for row in rows]
    return TrainingSetup(checkpoint, task, checkpoint.model, True, match, there, length)


def _tell_cut(
    checkpoint: Checkpoint, task: AnyTask, rows: Sequence[Features], max_tokens: int, callbacks: Callbacks
) -> None:
    """Say how much of the training rows is too long to be learnt from, if any is."""
    if isinstance(task, Task):
        cut = cut_rows(checkpoint.tokenizer, task.part("train"), rows, max_tokens)
        if cut.n_cut:
            callbacks.say(f"{task.name} train: {cut}")


def ready_model(checkpoint: Checkpoint, task: Task, seed: int) -> tuple[PreTrainedModel, bool]:
    """The checkpoint's model if its head fits the task in the task's order, else one with a fresh head; and which."""
    match, _ = _known(checkpoint, task)
    if match is not None and match.in_order:
        return checkpoint.model, True
    return _with_head(checkpoint, task, seed), False


def refuse_compacted(checkpoint: Checkpoint, shrinks: bool) -> None:
    """Raise CheckpointError if a compacted checkpoint is to be made smaller: sizes are shares of a dense model."""
    if shrinks and checkpoint.model.config.model_type.startswith(COMPACT):
        raise CheckpointError(
            f"{checkpoint.name} is compacted already, and its size is a share of a dense model. Start from its parent."
        )


def with_soft_targets(
    teacher: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Features]
) -> Sequence[Features]:
    """The rows with a teacher's logits as soft targets.

    Those of a language task stay as they are: a distribution over the vocabulary for each token is more than memory
    holds, and computing it anew costs a pass of the teacher a step, which imitated hidden states do as well.
    """
    if isinstance(rows, Windows):
        return rows
    soft = predict(teacher, tokenizer, rows).tolist()
    return [{**row, "soft_targets": target} for row, target in zip(rows, soft, strict=True)]


def _known(checkpoint: Checkpoint, task: AnyTask) -> tuple[LabelMatch | None, str]:
    """Which output is which class, or why the head is not made for the task; it is not trusted where it may not be."""
    try:
        return head_for(checkpoint, task), ""
    except TaskError as error:
        if not isinstance(task, Task):  # no head can be put on for it
            raise
        return None, str(error)


def _with_head(checkpoint: Checkpoint, task: Task, seed: int) -> PreTrainedModel:
    return with_fresh_head(checkpoint, task.labels, regression=task.kind == "regression", seed=seed)
