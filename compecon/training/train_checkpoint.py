"""One training from a checkpoint to a checkpoint, by incentive or dense, measured and saved."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from compecon.callbacks import NOBODY, Callbacks
from compecon.tasks.encode_rows import Features, Windows
from compecon.tasks.objectives import objective_of
from compecon.tasks.task_registry import AnyTask
from compecon.training.elastic import train_elastic
from compecon.training.estimate import TrainingEstimate, estimate_training, require_room
from compecon.training.fine_tuning import fine_tune
from compecon.training.finished import Shrunk, Trained, saved, training_session
from compecon.training.incentive import CALIBRATION_ROWS, train_incentive
from compecon.training.phases import Phase
from compecon.training.plans import TrainPlan
from compecon.training.quality import measure_between, rows_measured, tell_quality
from compecon.training.size_quality import tell_falls
from compecon.training.training_setup import TrainingSetup, prepare, with_soft_targets

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from compecon.compression.elastic.price_list import PriceList

    _Made = tuple[PreTrainedModel, Shrunk, PriceList | None]


def train(
    source: str | Path,
    task: AnyTask,
    plan: TrainPlan,
    out: Path,
    *,
    callbacks: Callbacks = NOBODY,
) -> Trained:
    """Train a checkpoint on a task and save what comes of it.

    A checkpoint that knows the task (its head fits) is its own teacher. Otherwise it gets a fresh head, and learns the
    task first if compute is priced: a price cannot tell which units of an untrained model matter.

    If the callbacks' watch has a folder and the settings save checkpoints, a training that was stopped goes on when it
    is called again with the same arguments; the folder is removed when the checkpoint is saved.

    Raises:
        CheckpointError: If the source cannot be loaded, is compacted already and is to be priced, `out` has content, or
            the watch's folder holds another training.
        TaskError: If the task has no training rows, or is one of language and the model none.
        CompeconError: If memory or disk are too small.
        FloatingPointError, TrainingInterruptedError: As for `fine_tune`.
    """
    device, seed, shrinks = plan.settings.device, plan.settings.seed, plan.shrinks
    ready = prepare(source, task, out, callbacks, device=device, shrinks=shrinks, seed=seed, max_tokens=plan.max_tokens)
    checkpoint = ready.checkpoint
    callbacks.begin("trying two steps", 0)
    estimate = _estimate(ready, plan)
    require_room(estimate, out)
    if ready.refused:
        callbacks.say(f"{checkpoint.name} gets a fresh head: {ready.refused}")
    callbacks.say(f"{task.name} from {checkpoint.name}: {estimate}")
    stated = {"task": task.name, "parent": checkpoint.digest, "plan": plan.written()}
    method = "elastic" if plan.elastic is not None else "incentive" if shrinks else "dense"
    with training_session(out, callbacks, plan.settings.save_every is not None, stated) as (session, onlookers):
        model, shrunk, prices = _ARMS[method](ready, plan, onlookers)
        training = {"method": method, "settings": plan.written()}
        callbacks.begin("measuring", 0)
        trained = saved(model, ready, shrunk, training, estimate, session, prices)
    steps = plan.settings.total_steps(len(ready.rows))
    tell_quality(callbacks, task, method, steps, trained.evaluations)
    tell_falls(trained.sizes, task, callbacks)
    return trained


def _dense(ready: TrainingSetup, plan: TrainPlan, callbacks: Callbacks) -> _Made:
    watch = callbacks.part("dense")
    callbacks.begin("dense", plan.first.total_steps(len(ready.rows)))
    phase = Phase(watch.folder, {"settings": asdict(plan.first)})
    objective, tokenizer = objective_of(ready.task.kind), ready.checkpoint.tokenizer
    phase.run(ready.model, lambda: fine_tune(ready.model, tokenizer, ready.rows, objective, plan.first, watch=watch))
    return ready.model, Shrunk(), None


def _priced(ready: TrainingSetup, plan: TrainPlan, callbacks: Callbacks) -> _Made:
    assert plan.incentive is not None  # noqa: S101 - for the type checker
    teacher, rows = _taught(ready, plan, callbacks)
    callbacks.begin("incentive", plan.settings.total_steps(len(rows)))
    result = train_incentive(
        ready.model,
        ready.checkpoint.tokenizer,
        rows,
        objective_of(ready.task.kind, plan.teacher_share),
        plan.incentive,
        plan.settings,
        teacher=teacher,
        watch=replace(callbacks.watch, between=measure_between(ready, callbacks, "incentive")),
    )
    met = result.met if plan.incentive.target is not None else None
    return result.model, Shrunk(result.share, plan.incentive.target, result.price, met), None


def _elastic(ready: TrainingSetup, plan: TrainPlan, callbacks: Callbacks) -> _Made:
    assert plan.elastic is not None  # noqa: S101 - for the type checker
    teacher, rows = _taught(ready, plan, callbacks)
    callbacks.begin("elastic", plan.settings.total_steps(len(rows)))
    result = train_elastic(
        teacher,
        ready.checkpoint.tokenizer,
        rows,
        objective_of(ready.task.kind, plan.teacher_share),
        plan.elastic,
        plan.settings,
        teacher=teacher,
        watch=callbacks.part("elastic"),
    )
    prices = result.elastic.prices
    return result.elastic.model, Shrunk(prices.share(len(prices.columns))), prices


def _taught(ready: TrainingSetup, plan: TrainPlan, callbacks: Callbacks) -> tuple[PreTrainedModel, Sequence[Features]]:
    """The teacher, a model that knows the task by now, and rows with what it says."""
    if not ready.knows:
        callbacks.say(f"{ready.checkpoint.name} has no head for {ready.task.name}: it learns the task first")
        _dense(ready, plan, callbacks)
        measure_between(ready, callbacks, "dense")(ready.model, plan.first.total_steps(len(ready.rows)))
    callbacks.begin("asking the teacher", 0)
    teacher = copy.deepcopy(ready.model)
    rows: Sequence[Features] = (
        with_soft_targets(teacher, ready.checkpoint.tokenizer, ready.rows) if plan.teacher_share else ready.rows
    )
    return teacher, rows


_ARMS: Mapping[str, Callable[[TrainingSetup, TrainPlan, Callbacks], _Made]] = {
    "dense": _dense,
    "incentive": _priced,
    "elastic": _elastic,
}


def _estimate(ready: TrainingSetup, plan: TrainPlan) -> TrainingEstimate:
    objective, tokenizer = objective_of(ready.task.kind), ready.checkpoint.tokenizer
    teaches = plan.shrinks and plan.teacher_share > 0 and not isinstance(ready.rows, Windows)
    read_rows = rows_measured(ready) + teaches * len(ready.rows)
    graded, share = 0, 1.0
    if plan.elastic is not None:
        share = plan.elastic.mean_share
        graded = round(min(CALIBRATION_ROWS, len(ready.rows)) * plan.elastic.valuations)
        read_rows *= 2  # about: all the sizes are measured too
    whole = estimate_training(
        ready.model,
        tokenizer,
        ready.rows,
        objective,
        plan.settings,
        plan.incentive,
        read_rows=read_rows,
        graded_rows=graded,
        run_share=share,
    )
    if not plan.shrinks or ready.knows:
        return whole
    first = estimate_training(ready.model, tokenizer, ready.rows, objective, plan.first)
    return replace(whole, steps=whole.steps + first.steps, seconds=whole.seconds + first.seconds)
