"""`compecon train` and `compecon prune`: a new checkpoint from another one, dense or smaller."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compecon.commands.background import with_background
from compecon.commands.fields import read
from compecon.commands.options import UNSAVED_TRAINING, Json, NewFolder, plainly, training_folder
from compecon.runs.jobs.options import PRUNE, TRAIN, prune_plan, trackers, train_plan


def _train(out: NewFolder, params: Mapping[str, Any], json: Json = False) -> None:
    """Fine-tune a checkpoint on a task, and save a new one.

    With a target or a price, heads and neurons pay for their compute: those that are not worth it are removed, and the
    others are trained further. With --elastic, one checkpoint learns several sizes at once. Without any of these, the
    model keeps its size. With --save-every, the same command continues an
    interrupted training.
    """
    from compecon.commands.progress_bar import terminal_callbacks
    from compecon.commands.results import print_trained
    from compecon.runs.jobs.job_registry import RECIPES

    given = read(RECIPES["train"].read, params)
    plan, report_to = train_plan(given), trackers(given["report_to"])
    _place_logs(report_to, out)

    from compecon.tasks.understood_task import task_of
    from compecon.training.train_checkpoint import train as train_checkpoint

    kept = training_folder(out)
    with (
        plainly(kept=kept if plan.settings.save_every else None, left=UNSAVED_TRAINING),
        terminal_callbacks(kept, report_to) as callbacks,
    ):
        wanted = task_of(given)
        trained = train_checkpoint(given["base"], wanted, plan, out, callbacks=callbacks)
    print_trained(trained, wanted, as_json=json)


def _prune(out: NewFolder, params: Mapping[str, Any], json: Json = False) -> None:
    """Remove heads and neurons of a checkpoint trained on a task, and save the smaller model.

    Units are chosen on training rows, without training. With --recover-epochs or --recover-steps, the smaller model is
    then trained with the original as its teacher; training options apply to this recovery.
    """
    from compecon.commands.progress_bar import terminal_callbacks
    from compecon.commands.results import print_trained
    from compecon.runs.jobs.job_registry import RECIPES

    given = read(RECIPES["prune"].read, params)
    plan = prune_plan(given)

    from compecon.tasks.understood_task import task_of
    from compecon.training.prune_checkpoint import prune_checkpoint

    kept = training_folder(out)
    saves = plan.recovery is not None and plan.recovery.save_every is not None
    with plainly(kept=kept if saves else None, left=UNSAVED_TRAINING), terminal_callbacks(kept) as callbacks:
        wanted = task_of(given)
        made = prune_checkpoint(given["checkpoint"], wanted, plan, out, callbacks=callbacks, device=given["device"])
    print_trained(made, wanted, as_json=json)


def _place_logs(report_to: tuple[str, ...], out: Path) -> None:
    """TensorBoard's logs outlive the folder of the training."""
    if "tensorboard" in report_to:
        os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(out.with_name(f"{out.name}.logs")))


train = with_background(_train, "train", TRAIN)
prune = with_background(_prune, "prune", PRUNE)
