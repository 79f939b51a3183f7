"""`compecon train`: a checkpoint from another one, as large as it was or as small as a price or a target makes it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compecon.commands.fields import FieldOptions, call, with_options
from compecon.commands.options import Base, Data, Json, NewFolder, TaskName, listed, plainly, training_folder

if TYPE_CHECKING:
    from compecon.recipes.plans import TrainPlan

_TARGETS = {"target": ("--target-macs", "--target")}
_TRACKERS = {"tensorboard": ("tensorboard", "tensorboardX")}
_ReportTo = Annotated[str, typer.Option(help="Trackers that transformers knows, separated by commas: tensorboard.")]


def train(context: typer.Context) -> None:
    """Fine-tune a checkpoint, dense or with a price on compute. See `compecon train --help`."""
    call(command(), "train", context.args)


def command() -> Callable[..., None]:
    """The command with all its options."""
    return with_options(_train, *_groups())


def _groups() -> tuple[FieldOptions[Any], ...]:
    from compecon.finetune.incentive_settings import IncentiveSettings
    from compecon.finetune.settings import FineTuneSettings
    from compecon.recipes.plans import TrainPlan

    return (
        FieldOptions(IncentiveSettings, names=_TARGETS, defaults={"target": None, "price": None}),
        FieldOptions(FineTuneSettings),
        FieldOptions(TrainPlan, without=frozenset({"settings", "incentive"})),
    )


def _train(  # noqa: PLR0913 - one option each
    task: TaskName,
    base: Base,
    out: NewFolder,
    settings: Mapping[str, Any],
    data: Data = None,
    report_to: _ReportTo = "",
    json: Json = False,
) -> None:
    """Fine-tune a checkpoint on a task, and save a new one.

    With a target or a price, heads and neurons pay for their compute: those that do not earn it are removed, and the
    rest is trained on. Without, the model stays as large as it is. With --save-every, a training that was interrupted
    goes on when the same command is run again.
    """
    from compecon.commands.onlooker import looking_on
    from compecon.commands.results import print_trained
    from compecon.recipes.train import train as run
    from compecon.tasks.registry import read_task

    plan = _plan(settings)
    trackers = _trackers(report_to, out)
    kept = training_folder(out)
    with plainly(kept=kept if plan.settings.save_every else None), looking_on(kept, trackers) as audience:
        wanted = read_task(task, data)
        trained = run(base, wanted, plan, out, audience=audience)
    print_trained(trained, wanted, as_json=json)


def _plan(given: Mapping[str, Any]) -> TrainPlan:
    incentive, fine_tuning, rest = _groups()
    target, price = given["target"], given["price"]
    if target is not None and price is not None:
        raise typer.BadParameter("give --target-macs or --price, not both: a target finds its price by itself.")
    priced = None
    if target is not None or price is not None:
        priced = incentive.read(given, **({} if price is not None else {"price": incentive.kind.price}))
        _look_at_price(priced)
    else:
        _refuse_unused(incentive, given)
    plan: TrainPlan = rest.read(given, settings=fine_tuning.read(given), incentive=priced)
    return plan


def _look_at_price(incentive: Any) -> None:
    """Look at the price now, not after the model was loaded.

    Raises:
        typer.BadParameter: If a number is out of its range.
    """
    try:
        incentive.first()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _refuse_unused(options: FieldOptions[Any], given: Mapping[str, Any]) -> None:
    """Make sure that no option of a group was given whose group is not used.

    Raises:
        typer.BadParameter: If one was.
    """
    for name, value in options.values(given).items():
        if value != options.default(name):
            raise typer.BadParameter(f"--{name.replace('_', '-')} needs --target-macs or --price: nothing is priced.")


def _trackers(text: str, out: Path) -> tuple[str, ...]:
    names = listed(text, str.strip, "--report-to")
    for name in names:
        if name in _TRACKERS and not any(map(find_spec, _TRACKERS[name])):
            raise typer.BadParameter(f"--report-to {name} needs {name}. Run `pip install {name}`.")
    if "tensorboard" in names:  # its logs outlive the folder of the training
        os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(out.with_name(f"{out.name}.logs")))
    return names
