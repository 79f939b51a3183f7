"""`compecon train`: a new checkpoint from another one, dense or made smaller by a price or target."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compecon.commands.background import with_background
from compecon.commands.fields import read
from compecon.commands.options import Json, NewFolder, plainly, training_folder
from compecon.runs.jobs.options import TRAIN, trackers, train_plan


def _train(out: NewFolder, params: Mapping[str, Any], json: Json = False) -> None:
    """Fine-tune a checkpoint on a task, and save a new one.

    With a target or a price, heads and neurons pay for their compute: those that are not worth it are removed, and the
    others are trained further. Without, the model keeps its size. With --save-every, the same command continues an
    interrupted training.
    """
    from compecon.commands.progress_bar import terminal_callbacks
    from compecon.commands.results import print_trained
    from compecon.runs.jobs.job_registry import RECIPES

    given = read(RECIPES["train"].read, params)
    plan, report_to = train_plan(given), trackers(given["report_to"])
    _place_logs(report_to, out)

    from compecon.tasks.understood_task import task_of
    from compecon.training.train_checkpoint import train as run

    kept = training_folder(out)
    with plainly(kept=kept if plan.settings.save_every else None), terminal_callbacks(kept, report_to) as callbacks:
        wanted = task_of(given)
        trained = run(given["base"], wanted, plan, out, callbacks=callbacks)
    print_trained(trained, wanted, as_json=json)


train = with_background(_train, "train", TRAIN)


def _place_logs(report_to: tuple[str, ...], out: Path) -> None:
    """TensorBoard's logs outlive the folder of the training."""
    if "tensorboard" in report_to:
        os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(out.with_name(f"{out.name}.logs")))
