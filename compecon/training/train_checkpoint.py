"""One training from a checkpoint to a checkpoint, by incentive or dense, measured and saved."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from compecon.callbacks import NOBODY, Callbacks
from compecon.tasks.encode_rows import Features, Windows
from compecon.tasks.objectives import objective_of
from compecon.tasks.task_registry import AnyTask
from compecon.training.estimate import TrainingEstimate, estimate_training, require_room
from compecon.training.fine_tuning import fine_tune
from compecon.training.finished import Shrunk, Trained, saved, training_session
from compecon.training.incentive import train_incentive
from compecon.training.phases import Phase
from compecon.training.plans import TrainPlan
from compecon.training.quality import measure_between, rows_measured, tell_quality
from compecon.training.training_setup import TrainingSetup, prepare, with_soft_targets

if TYPE_CHECKING:
    from transformers import PreTrainedModel


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
    device, seed, shrinks = plan.settings.device, plan.settings.seed, plan.incentive is not None
    ready = prepare(source, task, out, callbacks, device=device, shrinks=shrinks, seed=seed, max_tokens=plan.max_tokens)
    checkpoint = ready.checkpoint
    callbacks.begin("trying two steps", 0)
    estimate = _estimate(ready, plan)
    require_room(estimate, out)
    if ready.refused:
        callbacks.say(f"{checkpoint.name} gets a fresh head: {ready.refused}")
    callbacks.say(f"{task.name} from {checkpoint.name}: {estimate}")
    stated = {"task": task.name, "parent": checkpoint.digest, "plan": asdict(plan)}
    method = "incentive" if shrinks else "dense"
    with training_session(out, callbacks, plan.settings.save_every is not None, stated) as (session, onlookers):
        model, shrunk = (_priced if shrinks else _dense)(ready, plan, onlookers)
        training = {"method": method, "settings": asdict(plan)}
        callbacks.begin("measuring", 0)
        trained = saved(model, ready, shrunk, training, estimate, session)
    steps = plan.settings.total_steps(len(ready.rows))
    tell_quality(callbacks, task, method, steps, trained.evaluations)
    return trained


def _dense(ready: TrainingSetup, plan: TrainPlan, callbacks: Callbacks) -> tuple[PreTrainedModel, Shrunk]:
    watch = callbacks.part("dense")
    callbacks.begin("dense", plan.first.total_steps(len(ready.rows)))
    phase = Phase(watch.folder, {"settings": asdict(plan.first)})
    objective, tokenizer = objective_of(ready.task.kind), ready.checkpoint.tokenizer
    phase.run(ready.model, lambda: fine_tune(ready.model, tokenizer, ready.rows, objective, plan.first, watch=watch))
    return ready.model, Shrunk()


def _priced(ready: TrainingSetup, plan: TrainPlan, callbacks: Callbacks) -> tuple[PreTrainedModel, Shrunk]:
    assert plan.incentive is not None  # noqa: S101 - for the type checker
    if not ready.knows:
        callbacks.say(f"{ready.checkpoint.name} has no head for {ready.task.name}: it learns the task first")
        _dense(ready, plan, callbacks)
        measure_between(ready, callbacks, "dense")(ready.model, plan.first.total_steps(len(ready.rows)))
    callbacks.begin("asking the teacher", 0)
    teacher = copy.deepcopy(ready.model)
    rows: Sequence[Features] = (
        with_soft_targets(teacher, ready.checkpoint.tokenizer, ready.rows) if plan.teacher_share else ready.rows
    )
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
    return result.model, Shrunk(result.share, plan.incentive.target, result.price, met)


def _estimate(ready: TrainingSetup, plan: TrainPlan) -> TrainingEstimate:
    objective, tokenizer = objective_of(ready.task.kind), ready.checkpoint.tokenizer
    teaches = plan.incentive is not None and plan.teacher_share > 0 and not isinstance(ready.rows, Windows)
    read_rows = rows_measured(ready) + teaches * len(ready.rows)
    whole = estimate_training(
        ready.model, tokenizer, ready.rows, objective, plan.settings, plan.incentive, read_rows=read_rows
    )
    if plan.incentive is None or ready.knows:
        return whole
    first = estimate_training(ready.model, tokenizer, ready.rows, objective, plan.first)
    return replace(whole, steps=whole.steps + first.steps, seconds=whole.seconds + first.seconds)
