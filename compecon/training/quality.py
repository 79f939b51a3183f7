"""How good a model is, in the middle of a training and after each stage."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from compecon.callbacks import Callbacks
from compecon.evaluation.evaluate_model import Evaluation, evaluate
from compecon.tasks.language_task import LanguageTask
from compecon.tasks.task_registry import AnyTask
from compecon.training.training_setup import TrainingSetup

if TYPE_CHECKING:
    from transformers import PreTrainedModel


_LETTERS_A_TOKEN = 4  # of English


def measure_between(ready: TrainingSetup, callbacks: Callbacks, stage: str) -> Callable[[PreTrainedModel, int], None]:
    """What measures a model in the middle of a training, in a stage, if the callbacks want that."""

    def measure(model: PreTrainedModel, steps: int) -> None:
        if callbacks.note is None:
            return
        task, tokenizer = ready.task, ready.checkpoint.tokenizer
        split = split_watched(task)
        found = evaluate(model, tokenizer, task, split, max_tokens=ready.max_tokens, match=ready.match)
        tell_quality(callbacks, task, stage, steps, {split: found})

    return measure


def rows_measured(ready: TrainingSetup) -> int:
    """About how many rows are read to measure a model on all splits that `saved` measures it on."""
    task, splits = ready.task, splits_measured(ready.task)
    if isinstance(task, LanguageTask):
        letters = sum(len(document.text) for split in splits for document in task.part(split))
        return letters // (_LETTERS_A_TOKEN * ready.n_tokens)
    return sum(len(task.part(split)) for split in splits)


def tell_quality(
    callbacks: Callbacks, task: AnyTask, stage: str, steps: int, evaluations: Mapping[str, Evaluation]
) -> None:
    """Call back with how good a model is after a stage of so many steps: an event "quality" on the dev split."""
    split = split_watched(task)
    if callbacks.note is None or split not in evaluations:  # of several processes, one alone measures
        return
    value = evaluations[split].estimate.value
    quality = {"metric": task.metric, "split": split, "value": value if math.isfinite(value) else None}
    callbacks.note({"event": "quality", "stage": stage, "step": steps, **quality})


def splits_measured(task: AnyTask) -> tuple[str, ...]:
    """The splits that a finished checkpoint is measured on."""
    return tuple(dict.fromkeys((*(["dev"] if "dev" in task.splits else []), *task.reported)))


def split_watched(task: AnyTask) -> str:
    """The split to measure on meanwhile: "dev", or the first that is reported where there is none."""
    return "dev" if "dev" in task.splits else task.reported[0]
