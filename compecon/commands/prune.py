"""`compecon prune`: heads and neurons removed after training, by a post-hoc method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compecon.commands.background import with_background
from compecon.commands.fields import read
from compecon.commands.options import Json, NewFolder, plainly, training_folder
from compecon.runs.jobs.options import PRUNE, prune_plan


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
    with plainly(kept=kept if saves else None), terminal_callbacks(kept) as callbacks:
        wanted = task_of(given)
        made = prune_checkpoint(given["checkpoint"], wanted, plan, out, callbacks=callbacks, device=given["device"])
    print_trained(made, wanted, as_json=json)


prune = with_background(_prune, "prune", PRUNE)
