"""From a recipe and a few settings to a spec that says everything: what a command, a form and a sweep submit."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from compecon.errors import RunError, did_you_mean
from compecon.files.durable import Json
from compecon.runs.devices_here import polite_threads, queue_of
from compecon.runs.run_record import PRIORITIES, RunSpec

if TYPE_CHECKING:
    from compecon.runs.jobs.job_registry import Recipe

LIBRARIES = ("compecon", "torch", "transformers", "accelerate", "tokenizers", "safetensors", "datasets", "numpy")


def recipe_named(name: str) -> Recipe:
    """A recipe.

    Raises:
        RunError: If there is none of that name.
    """
    from compecon.runs.jobs.job_registry import RECIPES  # noqa: PLC0415 - a worker that waits has no need of it

    if name not in RECIPES:
        raise RunError(f"There is no recipe {name!r}.{did_you_mean(name, RECIPES)} There are: {', '.join(RECIPES)}.")
    return RECIPES[name]


def new_spec(
    recipe: str,
    params: Mapping[str, Json],
    *,
    title: str = "",
    sweep: str = "",
    parent_run: str = "",
    priority: str = "",
) -> RunSpec:
    """What to submit to run a recipe.

    Args:
        recipe: Its name.
        params: Settings that differ from its defaults, or all of them.
        title: A line for people.
        sweep: The sweep it belongs to, or "".
        parent_run: The run it was made from by changing something, or "".
        priority: How much of a busy machine it gets, "background" or "normal"; "" for what the home's settings say.

    Raises:
        RunError: If there is no such recipe or priority.
        CompeconError: If a setting is unknown or out of range.
    """
    if priority not in ("", *PRIORITIES):
        raise RunError(f"priority must be one of {', '.join(PRIORITIES)}, got {priority[:60]!r}.")
    chosen = recipe_named(recipe)
    complete = chosen.checked(params)
    queue = queue_of(str(complete.get("device", "cpu"))) if chosen.needs_torch else ""
    return RunSpec(
        recipe,
        complete,
        title=title,
        sweep=sweep,
        parent_run=parent_run,
        queue="gpu" if queue == "gpu" else "cpu" if queue else "",
        threads=polite_threads(),
        versions=versions(),
        priority=priority,
    )


@cache
def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that results depend on, read without loading any."""
    found = {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}}
    return {name: value for name, value in found.items() if value}
