"""`compecon prune`: units removed after the training, by a method of the literature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compecon.commands.fields import FieldOptions, call, with_options
from compecon.commands.options import Data, Json, NewFolder, Source, TaskName, plainly, training_folder

if TYPE_CHECKING:
    from compecon.recipes.plans import PrunePlan

_TARGET = ("--target-macs", "--target")
_RECOVERY = {"epochs": ("--recover-epochs",), "steps": ("--recover-steps",)}
_Epochs = Annotated[
    float, typer.Option("--recover-epochs", min=0, help="Passes over the rows after units were removed; 0 for none.")
]


def prune(context: typer.Context) -> None:
    """Remove units of a checkpoint that knows a task, by a post-hoc method. See `compecon prune --help`."""
    call(command(), "prune", context.args)


def command() -> Callable[..., None]:
    """The command with all its options."""
    return with_options(_prune, *_groups())


def _groups() -> tuple[FieldOptions[Any], FieldOptions[Any]]:
    from compecon.finetune.settings import FineTuneSettings
    from compecon.recipes.plans import PrunePlan

    return (
        FieldOptions(PrunePlan, names={"target": _TARGET}, without=frozenset({"recovery", "seed"})),
        FieldOptions(FineTuneSettings, names=_RECOVERY, without=frozenset({"epochs"})),
    )


def _prune(  # noqa: PLR0913 - one option each
    checkpoint: Source,
    task: TaskName,
    out: NewFolder,
    settings: Mapping[str, Any],
    data: Data = None,
    recover_epochs: _Epochs = 0,
    json: Json = False,
) -> None:
    """Remove heads and neurons of a checkpoint that knows a task, and save what is left.

    Units are chosen on training rows, without training. With --recover-epochs or --recover-steps, what is left is
    trained after that, with the given checkpoint as its teacher; the options of training are those of the recovery.
    """
    from compecon.commands.onlooker import looking_on
    from compecon.commands.results import print_trained
    from compecon.recipes.pruning import prune_checkpoint
    from compecon.tasks.registry import read_task

    plan = _plan(settings, recover_epochs)
    kept = training_folder(out)
    saves = plan.recovery is not None and plan.recovery.save_every is not None
    with plainly(kept=kept if saves else None), looking_on(kept) as audience:
        wanted = read_task(task, data)
        made = prune_checkpoint(checkpoint, wanted, plan, out, audience=audience, device=settings["device"].value)
    print_trained(made, wanted, as_json=json)


def _plan(given: Mapping[str, Any], epochs: float) -> PrunePlan:
    pruning, training = _groups()
    recovers = bool(epochs) or given["steps"] is not None
    recovery = training.read(given, **({"epochs": epochs} if epochs else {}))
    plan: PrunePlan = pruning.read(given, recovery=recovery if recovers else None, seed=given["seed"])
    return plan
