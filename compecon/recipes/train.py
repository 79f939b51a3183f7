"""One training from a checkpoint to a checkpoint, by incentive or dense, measured and saved."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from transformers import PreTrainedModel

from compecon.checkpoints.heads import with_fresh_head
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.checkpoints.save import save_checkpoint
from compecon.compression.families import COMPACT
from compecon.errors import CheckpointError, TaskError
from compecon.finetune import FineTuneSettings, fine_tune, predict
from compecon.finetune.estimate import TrainingEstimate, estimate_training, require_room
from compecon.finetune.incentive import IncentiveSettings, mean_length, train_incentive
from compecon.finetune.train import Watch
from compecon.recipes.arms import forward_macs
from compecon.recipes.evaluate import evaluate
from compecon.tasks.encode import Features, encode
from compecon.tasks.metrics import Estimate
from compecon.tasks.objectives import objective_of
from compecon.tasks.task import Task

Say = Callable[[str], None]


@dataclass(frozen=True)
class TrainPlan:
    """How to get from a checkpoint to another one.

    Attributes:
        settings: How to train.
        incentive: What is priced; None to fine-tune the model as large as it is.
        teacher_share: Weight of the given model's logits in the loss, if it knows the task; in [0, 1].
        max_tokens: Longer texts are cut.
    """

    settings: FineTuneSettings = field(default_factory=FineTuneSettings)
    incentive: IncentiveSettings | None = None
    teacher_share: float = 0.5
    max_tokens: int = 128

    def __post_init__(self) -> None:
        if not 0 <= self.teacher_share <= 1:
            raise ValueError(f"teacher_share must be in [0, 1], got {self.teacher_share}.")


@dataclass(frozen=True, eq=False)
class Trained:
    """What came of it.

    Attributes:
        folder: The new checkpoint.
        metrics: The task's metric by split.
        macs: MACs of one text of `n_tokens`.
        dense_macs: Those of the given model.
        n_tokens: Mean length of the training rows.
        price: Price at which the gates were frozen; None without.
        estimate: What the training was expected to take.
        seconds: What it took.
    """

    folder: Path
    metrics: Mapping[str, Estimate]
    macs: int
    dense_macs: int
    n_tokens: int
    price: float | None
    estimate: TrainingEstimate
    seconds: float


def train(source: str | Path, task: Task, plan: TrainPlan, out: Path, *, watch: Watch, say: Say) -> Trained:
    """Train a checkpoint on a task and save what comes of it.

    A checkpoint that knows the task (its head fits) is its own teacher. Otherwise it gets a fresh head, and learns the
    task first if compute is priced: a price says nothing about a model that knows nothing.

    Args:
        source: As for `load_checkpoint`.
        task: With "train" rows.
        plan: How.
        out: Folder of the new checkpoint; checkpoints of the training go beside it, if `watch` names no folder.
        watch: Who looks on.
        say: Is told of progress, a sentence at a time.

    Raises:
        CheckpointError: If the source cannot be loaded, is compacted already and is to be priced, or `out` has content.
        TaskError: If the task has no training rows.
        CompeconError: If memory or disk are too small.
        FloatingPointError, TrainingInterruptedError: As for `fine_tune`.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CheckpointError(f"{out} has content already. Give a new folder.")
    checkpoint = load_checkpoint(source)
    refuse_compacted(checkpoint, plan.incentive is not None)
    rows = encode(checkpoint.tokenizer, task.part("train"), plan.max_tokens)
    model, knows = ready_model(checkpoint, task, plan.settings.seed)
    objective = objective_of(task.kind, plan.teacher_share if knows else 0.0)
    estimate = estimate_training(model, checkpoint.tokenizer, rows, objective, plan.settings, plan.incentive)
    require_room(estimate, out)
    say(f"{task.name} from {checkpoint.name}: {estimate}")
    seconds, price = 0.0, None
    if plan.incentive is not None and not knows:
        say(f"{checkpoint.name} has no head for {task.name}: it learns the task first")
        first = fine_tune(model, checkpoint.tokenizer, rows, objective, plan.settings, watch=_part(watch, "dense"))
        seconds, objective = first.seconds, objective_of(task.kind, plan.teacher_share)
    if plan.incentive is None:
        final = model
        seconds += fine_tune(model, checkpoint.tokenizer, rows, objective, plan.settings, watch=watch).seconds
    else:
        teacher = copy.deepcopy(model)
        result = train_incentive(
            model,
            checkpoint.tokenizer,
            taught(teacher, checkpoint, rows),
            objective,
            plan.incentive,
            plan.settings,
            teacher=teacher,
            watch=watch,
        )
        final, price = result.model, result.price
        seconds += result.priced.seconds + (result.recovery.seconds if result.recovery else 0.0)
    return _saved(final, checkpoint, task, plan, out, _Took(estimate, seconds, price, mean_length(rows)))


def ready_model(checkpoint: Checkpoint, task: Task, seed: int) -> tuple[PreTrainedModel, bool]:
    """The checkpoint's model if its head fits the task, else one with a fresh head; and whether it fits."""
    try:
        match = task.check_labels(checkpoint.labels) if checkpoint.kind == task.kind else None
    except TaskError:
        match = None
    if match is not None and match.in_order:
        return checkpoint.model, True
    return with_fresh_head(checkpoint, task.labels, regression=task.kind == "regression", seed=seed), False


def refuse_compacted(checkpoint: Checkpoint, shrinks: bool) -> None:
    """Units can be priced or removed once.

    Raises:
        CheckpointError: If the checkpoint is compacted and is to be made smaller.
    """
    if shrinks and checkpoint.model.config.model_type.startswith(COMPACT):
        raise CheckpointError(
            f"{checkpoint.name} is compacted already, and a target is a share of a dense model. Start from its parent."
        )


def taught(teacher: PreTrainedModel, checkpoint: Checkpoint, rows: Sequence[Features]) -> list[Features]:
    """The rows with a teacher's logits as soft targets."""
    soft = predict(teacher, checkpoint.tokenizer, rows).tolist()
    return [{**row, "soft_targets": target} for row, target in zip(rows, soft, strict=True)]


@dataclass(frozen=True)
class _Took:
    estimate: TrainingEstimate
    seconds: float
    price: float | None
    n_tokens: int


def _saved(model: PreTrainedModel, parent: Checkpoint, task: Task, plan: TrainPlan, out: Path, took: _Took) -> Trained:
    metrics = {
        split: evaluate(model, parent.tokenizer, task, split, max_tokens=plan.max_tokens).estimate
        for split in dict.fromkeys((*(["dev"] if "dev" in task.splits else []), *task.reported))
    }
    now, before = (forward_macs(each, took.n_tokens) for each in (model, parent.model))
    record = {
        "title": f"{task.name} from {parent.name}" + ("" if plan.incentive is None else ", compute priced"),
        "task": task.name,
        "metrics": [{"name": task.metric, "split": split, **asdict(value)} for split, value in metrics.items()],
        "training": {
            "method": "dense" if plan.incentive is None else "incentive",
            "parent": parent.name,
            "parent_digest": parent.digest,
            "settings": asdict(plan),
            "macs": now,
            "dense_macs": before,
            "n_tokens": took.n_tokens,
            "price": took.price,
            "seconds": round(took.seconds, 1),
        },
    }
    folder = save_checkpoint(model, parent.tokenizer, out, record=record)
    return Trained(folder, metrics, now, before, took.n_tokens, took.price, took.estimate, took.seconds)


def _part(watch: Watch, name: str) -> Watch:
    return replace(watch, folder=watch.folder / name if watch.folder else None)
