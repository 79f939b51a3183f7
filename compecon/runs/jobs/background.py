"""Jobs as a run does them: resumable at any point, and measured against the parent at the end."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from compecon.callbacks import Callbacks
from compecon.checkpoints.load import load_checkpoint
from compecon.evaluation.against_parent import compare_with_parent, compared
from compecon.evaluation.at_budgets import measure_checkpoint
from compecon.evaluation.changed_rows import examples
from compecon.evaluation.row_statistics import gather_statistics
from compecon.files.durable import plain, write_text
from compecon.files.safe_reader import MEGABYTE, read_json
from compecon.files.schema import check_schema
from compecon.runs.jobs.options import prune_plan, trackers, train_plan
from compecon.runs.jobs.run_paths import RunPaths
from compecon.tasks.task_registry import AnyTask
from compecon.tasks.understood_task import task_of
from compecon.training.finished import Trained
from compecon.training.processes import is_first
from compecon.training.prune_checkpoint import prune_checkpoint
from compecon.training.train_checkpoint import train

EXAMPLES, SPENT = "examples.json", "spent.json"
SCHEMA = 1


def train_in_background(params: Mapping[str, Any], place: RunPaths, callbacks: Callbacks) -> dict[str, Any]:
    """Train, then measure; an attempt that finds the checkpoint finished continues from there."""
    plan, source, report_to = train_plan(params), params["base"], trackers(params["report_to"])
    if "tensorboard" in report_to:  # its logs outlive the training's folder
        os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(place.notes / "logs"))
    onlookers = _at(place, callbacks, report_to)
    return _done(
        lambda task: train(source, task, plan, place.checkpoint, callbacks=onlookers), source, params, place, callbacks
    )


def prune_in_background(params: Mapping[str, Any], place: RunPaths, callbacks: Callbacks) -> dict[str, Any]:
    """Prune, then measure."""
    plan, source, device = prune_plan(params), params["checkpoint"], params["device"]
    onlookers = _at(place, callbacks, ())
    return _done(
        lambda task: prune_checkpoint(source, task, plan, place.checkpoint, callbacks=onlookers, device=device),
        source,
        params,
        place,
        callbacks,
    )


def evaluate_in_background(params: Mapping[str, Any], place: RunPaths, callbacks: Callbacks) -> dict[str, Any]:
    """Measure a checkpoint under each budget."""
    return measure_checkpoint(params, kept=place.kept, callbacks=callbacks).results()


def gather_in_background(params: Mapping[str, Any], place: RunPaths, callbacks: Callbacks) -> dict[str, Any]:
    """Gather statistics of rows under each budget."""
    return gather_statistics(params, kept=place.kept, work=place.work, callbacks=callbacks).results()


def _at(place: RunPaths, callbacks: Callbacks, report_to: tuple[str, ...]) -> Callbacks:
    return replace(callbacks, watch=replace(callbacks.watch, folder=place.work, report_to=report_to))


def _done(
    make: Callable[[AnyTask], Trained], source: str, params: Mapping[str, Any], place: RunPaths, callbacks: Callbacks
) -> dict[str, Any]:
    callbacks.begin("reading the data", 0)
    task = task_of(params)
    if not place.checkpoint.exists():
        trained = make(task)
        if not is_first():
            return {}  # of several processes, the first one saves and measures
        _keep_spent(trained, place)
    callbacks.begin("measuring beside the parent", 0)
    new, parent = (load_checkpoint(each, params["device"]) for each in (place.checkpoint, source))
    reported = task.reported[0]
    shown = "dev" if "dev" in task.splits else reported
    on = compared(new, parent, task, reported, max_tokens=params["max_tokens"])
    beside = on if shown == reported else compared(new, parent, task, shown, max_tokens=params["max_tokens"])
    told = {"schema": SCHEMA, **examples(beside, parent.name)}
    write_text(place.notes / EXAMPLES, json.dumps(told, indent=1, ensure_ascii=False))
    results = compare_with_parent(new, parent, on)
    shutil.rmtree(place.work, ignore_errors=True)  # left by an attempt that ended right after the checkpoint
    return {**results, **_spent(place)}


def _keep_spent(trained: Trained, place: RunPaths) -> None:
    spent = {"schema": SCHEMA, "estimate": asdict(trained.estimate), "took": asdict(trained.took)}
    write_text(place.notes / SPENT, json.dumps(plain(spent), indent=1))


def _spent(place: RunPaths) -> dict[str, Any]:
    """Expected and actual resources; None for both if the attempt that knew them ended after the checkpoint."""
    try:
        told = read_json(place.notes / SPENT, MEGABYTE)
        check_schema(told, SCHEMA, SPENT)
        return {"estimate": told["estimate"], "took": told["took"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {"estimate": None, "took": None}
