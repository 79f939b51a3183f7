"""A run's recipe, with its files in the run's folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compecon.callbacks import Callbacks, StepCallbacks
from compecon.errors import RunError
from compecon.runs.home import Home
from compecon.runs.jobs.job_registry import RECIPES
from compecon.runs.jobs.run_paths import RunPaths

if TYPE_CHECKING:
    from compecon.runs.reporter import Reporter
    from compecon.runs.run_record import RunSpec

_TRAINING, _RESULT = "checkpoints", "result"


def work(folder: Path, spec: RunSpec, reporter: Reporter) -> dict[str, Any]:
    """Run the recipe of a spec in a run's folder and return its results."""
    recipe = RECIPES.get(spec.recipe)
    if recipe is None:
        raise RunError(f"There is no recipe {spec.recipe!r}. There are: {', '.join(RECIPES)}.")
    params = recipe.checked(spec.params)
    place = place_of(folder)
    watch = StepCallbacks(reporter.report, lambda: reporter.is_unwanted, saved=reporter.saved)
    reporter.begin("loading libraries" if recipe.needs_torch else recipe.label, 0)
    results = recipe.run(params, place, Callbacks(reporter.say, reporter.begin, watch, reporter.note))
    return dict(results)


def place_of(folder: Path) -> RunPaths:
    """Where a recipe's files go. A half-finished result of a former attempt is removed."""
    result = folder / _RESULT
    for half in result.glob(".*") if result.is_dir() else ():
        shutil.rmtree(half, ignore_errors=True)
    result.mkdir(exist_ok=True)
    home = Home(folder.parent.parent)
    return RunPaths(checkpoint=result / folder.name, work=folder / _TRAINING, notes=folder, kept=home.measurements)
