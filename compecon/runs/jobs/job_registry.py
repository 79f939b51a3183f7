"""Jobs by name. Loads without torch; a recipe that needs it imports it.

Every recipe takes flat parameters, named as on its command line, so that a form, a file and a command agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

from compecon.callbacks import Callbacks
from compecon.checkpoints.locate import bundled_names
from compecon.errors import SettingError
from compecon.files.durable import Json
from compecon.runs.jobs import options
from compecon.runs.jobs.run_paths import RunPaths
from compecon.settings.setting import Setting, checked_values, made_of, spelled, with_defaults
from compecon.tasks.task_registry import FILES, entry_of, options_of

_ALWAYS_SAVED: Mapping[str, Json] = MappingProxyType({"save_every": 50})


Run = Callable[[Mapping[str, Any], RunPaths, Callbacks], dict[str, Any]]


@final
@dataclass(frozen=True)
class Recipe:
    """A job that can run in the background.

    Attributes:
        name: Its name in specs, and the command's.
        label: Its name for people.
        description: What it does, in a sentence.
        options: Its settings on the command line.
        needs_torch: Whether running it loads torch.
        plan: Raises `SettingError` where checked values contradict each other.
        work: Runs it.
        always: Defaults in the background that replace None.
        has_command: Whether the command line has a command of its name.
        makes_checkpoint: Whether its command takes the folder of a new checkpoint.
    """

    name: str
    label: str
    description: str
    options: tuple[Setting, ...]
    needs_torch: bool
    plan: Callable[[Mapping[str, Any]], object]
    work: Run
    always: Mapping[str, Json] = field(default_factory=dict)
    has_command: bool = True
    makes_checkpoint: bool = False

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """What can be set in the background."""
        return with_defaults(self.options, self.always)

    def read(self, params: Mapping[str, Any]) -> dict[str, Json]:
        """All values as the command line means them, without the defaults of background runs."""
        values = checked_values(self.options, params, self.name)
        anchored = {name: _anchored(name, value) for name, value in values.items()}
        self.plan(anchored)
        return anchored

    def checked(self, params: Mapping[str, Any]) -> dict[str, Json]:
        """All values of a background run, with defaults; folders are absolute, since the worker runs elsewhere."""
        values = self.read(params)
        return {name: self.always.get(name) if value is None else value for name, value in values.items()}

    def run(self, params: Mapping[str, Any], place: RunPaths, callbacks: Callbacks) -> dict[str, Any]:
        """Run it, or go on where an earlier attempt was left.

        Args:
            params: Checked values.
            place: Where files go; the same for every attempt.
            callbacks: Who looks on; its watch says whether to stop. Its folder is not looked at: the place says it.

        Returns:
            What came of it, as JSON values.

        Raises:
            CompeconError: If what is asked for cannot be done.
            TrainingInterruptedError: If the watch said stop; run it again to go on.
            FloatingPointError: If the loss is not finite.
        """
        return self.work(params, place, callbacks)

    def command(self, params: Mapping[str, Any], out: str = "NEW-FOLDER") -> tuple[str, ...]:
        """The equivalent command: the words after `compecon`, without defaults; empty if there is none.

        Args:
            params: Checked values.
            out: Folder of the new checkpoint, if it makes one.
        """
        if not self.has_command:
            return ()
        said = [(each, params[each.name]) for each in self.options]
        parts = [_typed(each, value) for each, value in said if each.required or value != each.default]
        new = ("--out", out) if self.makes_checkpoint else ()
        return (self.name, *(part for each in parts for part in each), *new)


def _typed(setting: Setting, value: Any) -> tuple[str, ...]:
    """A setting as typed on the command line; nothing for None."""
    if value is None:
        return ()
    if not setting.options:
        return (spelled(value),)
    option = setting.options[0]
    if setting.kind is bool:
        return (option if value else f"--no-{option.removeprefix('--')}",)
    return (option, spelled(value))


def _anchored(name: str, value: Any) -> Any:
    """A folder's absolute path, a task's checked name, or the value unchanged."""
    if name == "data" and value is not None:
        return str(Path(value).expanduser().absolute())
    if name == "task":
        return _task(value)
    if name in ("base", "checkpoint") and value not in bundled_names():
        path = Path(value).expanduser()
        return str(path.absolute()) if path.is_dir() else value
    return value


def _task(name: str) -> str:
    try:
        path, _ = options_of(name)
        if not name.startswith(FILES):
            entry_of(name)
            return name
    except ValueError as error:
        raise SettingError("task", str(error)) from error
    return f"{FILES}{Path(path).expanduser().absolute()}{name.removeprefix(FILES)[len(path) :]}"


def _train(params: Mapping[str, Any], place: RunPaths, callbacks: Callbacks) -> dict[str, Any]:
    from compecon.runs.jobs.background import train_in_background  # noqa: PLC0415 - loads torch

    return train_in_background(params, place, callbacks)


def _prune(params: Mapping[str, Any], place: RunPaths, callbacks: Callbacks) -> dict[str, Any]:
    from compecon.runs.jobs.background import prune_in_background  # noqa: PLC0415 - loads torch

    return prune_in_background(params, place, callbacks)


def _evaluate(params: Mapping[str, Any], place: RunPaths, callbacks: Callbacks) -> dict[str, Any]:
    from compecon.evaluation.at_budgets import measure_checkpoint  # noqa: PLC0415 - loads torch

    return measure_checkpoint(params, kept=place.kept, callbacks=callbacks).results()


def _statistics(params: Mapping[str, Any], place: RunPaths, callbacks: Callbacks) -> dict[str, Any]:
    from compecon.evaluation.row_statistics import gather_statistics  # noqa: PLC0415 - loads torch

    return gather_statistics(params, kept=place.kept, work=place.work, callbacks=callbacks).results()


def _rehearse(params: Mapping[str, Any], place: RunPaths, callbacks: Callbacks) -> dict[str, Any]:
    from compecon.runs.jobs.rehearsal import rehearse  # noqa: PLC0415 - used by few

    return rehearse(params, place.checkpoint, place.work, callbacks)


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "train": Recipe(
            "train",
            "Training",
            "Fine-tune a checkpoint on a task, dense or with a price on compute.",
            options.TRAIN,
            needs_torch=True,
            plan=options.train_plan,
            work=_train,
            always=_ALWAYS_SAVED,
            makes_checkpoint=True,
        ),
        "prune": Recipe(
            "prune",
            "Pruning",
            "Remove units of a checkpoint that knows a task by a post-hoc method, and train on what is left.",
            options.PRUNE,
            needs_torch=True,
            plan=options.prune_plan,
            work=_prune,
            always=_ALWAYS_SAVED,
            makes_checkpoint=True,
        ),
        "evaluate": Recipe(
            "evaluate",
            "Evaluation",
            "Measure a checkpoint on a task, under key budgets or without.",
            options.EVALUATE,
            needs_torch=True,
            plan=partial(made_of, options.EvaluateSettings),
            work=_evaluate,
        ),
        "statistics": Recipe(
            "statistics",
            "Statistics",
            "Gini, entropy and decisions of a checkpoint on rows of a task, under key budgets.",
            options.STATISTICS,
            needs_torch=True,
            plan=partial(made_of, options.StatisticsSettings),
            work=_statistics,
        ),
        "rehearsal": Recipe(
            "rehearsal",
            "Rehearsal",
            "Do what a training does to a machine, without a model: steps, checkpoints, and failures on demand.",
            options.REHEARSAL,
            needs_torch=False,
            plan=partial(made_of, options.RehearsalSettings),
            work=_rehearse,
            has_command=False,
        ),
    }
)
"""What can be run in the background."""
