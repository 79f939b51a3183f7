"""What is wrong with a form, as far as it can be known before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

from compecon.checkpoints.catalog import CheckpointEntry
from compecon.errors import CompeconError, SettingError
from compecon.files.durable import Json
from compecon.tasks.task_registry import TASKS
from compecon.views.runs.form_sections import Kind


@final
@dataclass(frozen=True)
class Problem:
    """Why a run could not be started."""

    setting: str  # the setting that is wrong; "" for none in particular
    sentence: str  # what is wrong and what to do


def problems_with(
    kind: Kind, values: Mapping[str, Json], checkpoints: Mapping[str, CheckpointEntry]
) -> tuple[Problem, ...]:
    """What is wrong with the settings of a form; empty if it can be started with these checkpoints to choose from."""
    return (*_refused(kind, values), *_of_checkpoint(kind, values, checkpoints), *_of_task(values))


def _refused(kind: Kind, values: Mapping[str, Json]) -> Iterator[Problem]:
    if kind.either and not any(values.get(name) not in (None, []) for name in kind.either):
        yield Problem(kind.either[0], f"Give a {' or a '.join(kind.either)}.")
        return
    try:
        kind.does.checked(values)
    except SettingError as error:
        yield Problem(error.setting, str(error))
    except CompeconError as error:
        yield Problem("", str(error))


def _of_checkpoint(
    kind: Kind, values: Mapping[str, Json], checkpoints: Mapping[str, CheckpointEntry]
) -> Iterator[Problem]:
    if not kind.source or not values.get(kind.source):
        return  # none is needed, or the recipe has said that it is missing
    entry = checkpoints.get(str(values[kind.source]))
    if entry is None:
        yield Problem(kind.source, "That checkpoint is no longer available. Choose another.")
    elif entry.problem:
        yield Problem(kind.source, entry.problem)
    elif entry.preflight is not None and entry.preflight.heads_kept is not None and kind.name != "dense":
        yield Problem(
            kind.source,
            "This checkpoint is already compacted and cannot be shrunk again. Choose a dense one.",
        )
    else:
        yield from _of_both(kind, values, entry)


def _of_both(kind: Kind, values: Mapping[str, Json], entry: CheckpointEntry) -> Iterator[Problem]:
    task = TASKS.get(_named(values))
    if task is not None and entry.preflight is not None:
        reads_on = entry.preflight.kind == "causal-lm"
        if reads_on != (task.kind == "language"):
            needed = "a language model" if task.kind == "language" else "an encoder"
            yield Problem(kind.source, f"{task.name} needs {needed}, which this checkpoint is not. Choose another.")


def _of_task(values: Mapping[str, Json]) -> Iterator[Problem]:
    name, data = _named(values), values.get("data")
    task = TASKS.get(name)
    if data and task is not None and task.from_folder is None and not task.is_made:
        yield Problem("data", f"{name} is not read from a data folder. Leave it empty.")


def needs_network(values: Mapping[str, Json]) -> bool:
    """Whether a task's rows come from the Hub: neither generated here nor read from files."""
    task = TASKS.get(_named(values))
    return task is not None and not task.is_made and not values.get("data")


def _named(values: Mapping[str, Json]) -> str:
    """The task without its options."""
    return str(values.get("task", "")).partition("?")[0]
