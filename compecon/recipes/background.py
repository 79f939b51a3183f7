"""Training and pruning as a run does them: resumable at any point, and measured against the parent at the end."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from compecon.checkpoints.load import load_checkpoint
from compecon.files import MEGABYTE, read_json
from compecon.finetune.complete import write_durably
from compecon.finetune.processes import is_first
from compecon.recipes.achieved import achieved, compared
from compecon.recipes.audience import Audience
from compecon.recipes.examples import examples
from compecon.recipes.options import prune_plan, trackers, train_plan
from compecon.recipes.plain import plain
from compecon.recipes.pruning import prune_checkpoint
from compecon.recipes.train import train
from compecon.recipes.trained import Trained
from compecon.recipes.understood import task_of
from compecon.schema import check_schema
from compecon.tasks.registry import AnyTask

if TYPE_CHECKING:
    from compecon.recipes.registry import Place

EXAMPLES, SPENT = "examples.json", "spent.json"
SCHEMA = 1


def train_in_background(params: Mapping[str, Any], place: Place, audience: Audience) -> dict[str, Any]:
    """Train, then say what came of it; an attempt that finds the checkpoint made goes on from there.

    Args:
        params: Checked values of `compecon.recipes.options.TRAIN`.
        place: Where files go.
        audience: Who looks on.

    Raises:
        CompeconError, FloatingPointError, TrainingInterruptedError: As for `compecon.recipes.train.train`.
    """
    plan, source, report_to = train_plan(params), params["base"], trackers(params["report_to"])
    if "tensorboard" in report_to:  # its logs outlive the folder of the training
        os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(place.notes / "logs"))
    onlookers = _at(place, audience, report_to)
    return _done(
        lambda task: train(source, task, plan, place.checkpoint, audience=onlookers), source, params, place, audience
    )


def prune_in_background(params: Mapping[str, Any], place: Place, audience: Audience) -> dict[str, Any]:
    """Prune, then say what came of it.

    Args:
        params: Checked values of `compecon.recipes.options.PRUNE`.
        place: Where files go.
        audience: Who looks on.

    Raises:
        CompeconError, FloatingPointError, TrainingInterruptedError: As for `compecon.recipes.pruning.prune_checkpoint`.
    """
    plan, source, device = prune_plan(params), params["checkpoint"], params["device"]
    onlookers = _at(place, audience, ())
    return _done(
        lambda task: prune_checkpoint(source, task, plan, place.checkpoint, audience=onlookers, device=device),
        source,
        params,
        place,
        audience,
    )


def _at(place: Place, audience: Audience, report_to: tuple[str, ...]) -> Audience:
    return replace(audience, watch=replace(audience.watch, folder=place.work, report_to=report_to))


def _done(
    make: Callable[[AnyTask], Trained], source: str, params: Mapping[str, Any], place: Place, audience: Audience
) -> dict[str, Any]:
    audience.begin("reading the data", 0)
    task = task_of(params)
    if not place.checkpoint.exists():
        trained = make(task)
        if not is_first():
            return {}  # of several processes the first one saves, measures and tells
        _keep_spent(trained, place)
    audience.begin("measuring beside the parent", 0)
    new, parent = (load_checkpoint(each, params["device"]) for each in (place.checkpoint, source))
    reported = task.reported[0]
    shown = "dev" if "dev" in task.splits else reported
    on = compared(new, parent, task, reported, max_tokens=params["max_tokens"])
    beside = on if shown == reported else compared(new, parent, task, shown, max_tokens=params["max_tokens"])
    told = {"schema": SCHEMA, **examples(beside, parent.name)}
    write_durably(place.notes / EXAMPLES, json.dumps(told, indent=1, ensure_ascii=False))
    results = achieved(new, parent, on)
    shutil.rmtree(place.work, ignore_errors=True)  # an attempt that ended right after the checkpoint left it
    return {**results, **_spent(place)}


def _keep_spent(trained: Trained, place: Place) -> None:
    spent = {"schema": SCHEMA, "estimate": asdict(trained.estimate), "took": asdict(trained.took)}
    write_durably(place.notes / SPENT, json.dumps(plain(spent), indent=1))


def _spent(place: Place) -> dict[str, Any]:
    """What was expected and what it took; None for both if the attempt that knew ended right after the checkpoint."""
    try:
        told = read_json(place.notes / SPENT, MEGABYTE)
        check_schema(told, SCHEMA, SPENT)
        return {"estimate": told["estimate"], "took": told["took"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {"estimate": None, "took": None}
