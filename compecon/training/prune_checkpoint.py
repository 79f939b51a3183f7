"""A checkpoint made smaller without a price: units chosen after the training, perhaps trained on after that."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from compecon.callbacks import NOBODY, Callbacks
from compecon.compression.importance import IMPORTANCES
from compecon.errors import TaskError
from compecon.tasks.objectives import objective_of
from compecon.tasks.task_registry import AnyTask
from compecon.training.arms import Outcome, Start, pruned
from compecon.training.estimate import TrainingEstimate, estimate_training, require_room
from compecon.training.fine_tuning import fine_tune
from compecon.training.finished import Shrunk, Trained, saved, training_session
from compecon.training.incentive import CALIBRATION_ROWS
from compecon.training.phases import Phase
from compecon.training.plans import PrunePlan
from compecon.training.quality import measure_between, rows_measured, tell_quality
from compecon.training.training_settings import FineTuneSettings
from compecon.training.training_setup import TrainingSetup, prepare, with_soft_targets


def prune_checkpoint(
    source: str | Path,
    task: AnyTask,
    plan: PrunePlan,
    out: Path,
    *,
    callbacks: Callbacks = NOBODY,
    device: str = "auto",
) -> Trained:
    """Remove units of a checkpoint that knows a task, and save what is left; resumable as `train` is.

    Units are chosen, and what is left is trained, on the task's training rows.

    Raises:
        CheckpointError: If the source cannot be loaded or is compacted already, `out` has content, or the watch's
            folder holds another training.
        TaskError: If the checkpoint does not know the task.
        CompeconError: If memory or disk are too small.
        FloatingPointError, TrainingInterruptedError: As for `fine_tune`.
    """
    ready = prepare(
        source, task, out, callbacks, device=device, shrinks=True, seed=plan.seed, max_tokens=plan.max_tokens
    )
    checkpoint = ready.checkpoint
    if not ready.knows:
        raise TaskError(f"{checkpoint.name} does not know {task.name}: {ready.refused}")
    callbacks.begin("trying two steps", 0)
    start = _start(ready, plan)
    estimate = _estimate(start, plan, rows_measured(ready))
    require_room(estimate, out)
    callbacks.say(f"{task.name} from {checkpoint.name}: {plan.method} to {plan.target:g} of the MACs, then {estimate}")
    stated = {"task": task.name, "parent": checkpoint.digest, "plan": asdict(plan)}
    saves = plan.recovery is not None and plan.recovery.save_every is not None
    with training_session(out, callbacks, saves, stated) as (session, onlookers):
        callbacks.begin("choosing what is removed", 0)
        outcome = pruned(start, plan.method, plan.target)
        measure_between(ready, callbacks, "recovery")(outcome.model, 0)
        _recover(outcome, start, plan, onlookers)
        training = {"method": f"pruned by {plan.method}", "settings": asdict(plan)}
        shrunk = Shrunk(outcome.share, plan.target)
        callbacks.begin("measuring", 0)
        made = saved(outcome.model, ready, shrunk, training, estimate, session)
    if plan.recovery is not None:
        tell_quality(callbacks, task, "recovery", plan.recovery.total_steps(len(ready.rows)), made.evaluations)
    return made


def _start(ready: TrainingSetup, plan: PrunePlan) -> Start:
    teaches = plan.recovery is not None and plan.teacher_share > 0
    rows = with_soft_targets(ready.model, ready.checkpoint.tokenizer, ready.rows) if teaches else ready.rows
    settings = plan.recovery or FineTuneSettings(seed=plan.seed)
    objective = objective_of(ready.task.kind, plan.teacher_share if teaches else 0.0)
    return Start(ready.model, ready.checkpoint.tokenizer, rows, objective, settings)


def _estimate(start: Start, plan: PrunePlan, measured: int) -> TrainingEstimate:
    graded = IMPORTANCES[plan.method].passes * min(CALIBRATION_ROWS, len(start.rows))
    settings = start.settings if plan.recovery is not None else replace(start.settings, steps=1, save_every=None)
    whole = estimate_training(
        start.model, start.tokenizer, start.rows, start.objective, settings, read_rows=measured, graded_rows=graded
    )
    return whole if plan.recovery is not None else replace(whole, steps=0)


def _recover(outcome: Outcome, start: Start, plan: PrunePlan, callbacks: Callbacks) -> None:
    if plan.recovery is None:
        return
    settings, watch = plan.recovery, callbacks.part("recovery")
    callbacks.begin("recovery", settings.total_steps(len(start.rows)))
    Phase(watch.folder, asdict(plan)).run(
        outcome.model,
        lambda: fine_tune(
            outcome.model, start.tokenizer, start.rows, start.objective, settings, teacher=start.model, watch=watch
        ),
    )
