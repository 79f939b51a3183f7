"""From a recipe and a few settings to a complete spec, as a command, a form or a sweep submits it."""

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
    """A recipe by name."""
    from compecon.runs.jobs.job_registry import RECIPES  # noqa: PLC0415 - not needed by a worker that waits

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
    """The spec of a recipe with these settings; those not given have their defaults."""
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
