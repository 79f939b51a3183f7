"""Jobs by name. Loads without torch; a recipe that needs it imports it.

Every recipe takes flat parameters, named as on its command line, so that a form, a file and a command agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from pkgutil import resolve_name
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

_JOBS = "compecon.runs.jobs"


@final
@dataclass(frozen=True)
class Recipe:
    """A job that can run in the background."""

    name: str  # its name in specs, and the command's
    label: str  # its name for people
    options: tuple[Setting, ...]  # its settings on the command line
    needs_torch: bool  # whether running it loads torch
    plan: Callable[[Mapping[str, Any]], object]  # raises `SettingError` where checked values contradict each other
    work: str  # the function that runs it, "package.module:name"
    has_command: bool = True  # whether the command line has a command of its name
    makes_checkpoint: bool = False  # whether its command takes the folder of a new checkpoint
    # settings that earlier versions did not have: left out at their defaults, so that a run keeps its name
    added: frozenset[str] = frozenset()

    @property
    def _always(self) -> Mapping[str, Json]:
        """Defaults in the background that replace None: what makes a checkpoint can be resumed."""
        return {"save_every": 50} if self.makes_checkpoint else {}

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """What can be set in the background."""
        return with_defaults(self.options, self._always)

    def read(self, params: Mapping[str, Any]) -> dict[str, Json]:
        """All values as the command line means them, without the defaults of background runs."""
        values = checked_values(self.options, params, self.name)
        anchored = {name: _anchored(name, value) for name, value in values.items()}
        self.plan(anchored)
        return anchored

    def checked(self, params: Mapping[str, Any]) -> dict[str, Json]:
        """The values of a background run, with defaults; folders are absolute, since the worker runs elsewhere."""
        values = self.read(params)
        new = {each.name: each.default for each in self.options if each.name in self.added}
        return {
            name: self._always.get(name) if value is None else value
            for name, value in values.items()
            if name not in new or value != new[name]
        }

    def run(self, params: Mapping[str, Any], place: RunPaths, callbacks: Callbacks) -> dict[str, Any]:
        """Run it, or continue an earlier attempt, and return its results as JSON values.

        Args:
            params: Checked values.
            place: Where files go; the same for every attempt.
            callbacks: Progress, and whether to stop: that raises `TrainingInterruptedError`, and another run continues.
        """
        results: dict[str, Any] = resolve_name(self.work)(params, place, callbacks)
        return results

    def command(self, params: Mapping[str, Any], out: str = "NEW-FOLDER") -> tuple[str, ...]:
        """The equivalent command: the words after `compecon`, without defaults; empty if there is none.

        Args:
            params: Checked values.
            out: Folder of the new checkpoint, if it makes one.
        """
        if not self.has_command:
            return ()
        said = [(each, params.get(each.name, each.default)) for each in self.options]
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


_RECIPES = (
    Recipe(
        "train",
        "Training",
        options.TRAIN,
        needs_torch=True,
        plan=options.train_plan,
        work=f"{_JOBS}.background:train_in_background",
        makes_checkpoint=True,
        added=frozenset(each.name for each in options.TRAIN if each.group == "sizes"),
    ),
    Recipe(
        "prune",
        "Pruning",
        options.PRUNE,
        needs_torch=True,
        plan=options.prune_plan,
        work=f"{_JOBS}.background:prune_in_background",
        makes_checkpoint=True,
    ),
    Recipe(
        "evaluate",
        "Evaluation",
        options.EVALUATE,
        needs_torch=True,
        plan=partial(made_of, options.EvaluateSettings),
        work=f"{_JOBS}.background:evaluate_in_background",
        added=frozenset({"rows"}),
    ),
    Recipe(
        "statistics",
        "Statistics",
        options.STATISTICS,
        needs_torch=True,
        plan=partial(made_of, options.StatisticsSettings),
        work=f"{_JOBS}.background:gather_in_background",
    ),
    Recipe(
        "rehearsal",
        "Rehearsal",
        options.REHEARSAL,
        needs_torch=False,
        plan=partial(made_of, options.RehearsalSettings),
        work=f"{_JOBS}.rehearsal:rehearse",
        has_command=False,
    ),
)
RECIPES: Mapping[str, Recipe] = MappingProxyType({recipe.name: recipe for recipe in _RECIPES})
"""What can be run in the background."""
