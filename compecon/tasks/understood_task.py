"""What a recipe will work on, as it was understood: the task's rows, and which class is which output. Without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from compecon.checkpoints.gate.intake import survey
from compecon.checkpoints.gate.preflight import Preflight
from compecon.checkpoints.locate import locate
from compecon.errors import TaskError
from compecon.tasks.described import described
from compecon.tasks.labels import LabelDoubtError, match_labels, match_score
from compecon.tasks.task import Task
from compecon.tasks.task_registry import FILES, AnyTask, check_folder, entry_of, options_of, read_task

_LEARN_ANY = "train"  # puts a fresh head on what is not made for the task


@final
@dataclass(frozen=True)
class Understood:
    """How a recipe's task was understood.

    Attributes:
        lines: For people.
        doubt: Why nobody knows which class is which output; None if it is known.
        refused: Why the checkpoint is not made for the task; "" if it is, or nobody knows.
        may_begin: Whether the recipe does without: a training then puts a fresh head on.
    """

    lines: tuple[str, ...]
    doubt: LabelDoubtError | None = None
    refused: str = ""
    may_begin: bool = False

    def require(self) -> None:
        """Make sure that it is known which class is which output.

        Raises:
            TaskError: If it is not, or the checkpoint is not made for the task.
        """
        if self.doubt is not None and not self.may_begin:
            raise self.doubt
        if self.refused:
            raise TaskError(self.refused)


def task_of(params: Mapping[str, Any], *, offline: bool = False) -> AnyTask:
    """The task that a recipe's settings name, read once its checkpoint is found: that is told in a moment.

    Args:
        params: Checked values, with "task", and perhaps "data", "skip_bad_rows", and "checkpoint" or "base".
        offline: As of `read_task`.

    Raises:
        CheckpointError: If there is no such checkpoint, or its files are refused.
        CompeconError, FileNotFoundError: As of `read_task`.
    """
    _about(params)
    data = params.get("data")
    folder = None if data is None else Path(data)
    return read_task(params["task"], folder, offline=offline, skip_bad_rows=bool(params.get("skip_bad_rows")))


def understood(recipe: str, params: Mapping[str, Any], *, reads_all: bool = False) -> Understood:
    """Look at what a recipe will work on.

    Args:
        recipe: Its name; a training puts a fresh head on a checkpoint that is not made for its task.
        params: Checked values.
        reads_all: Whether to read the rows of a task that is no local file, which may take its time, or the Hub.

    Returns:
        Nothing for a recipe without a task.

    Raises:
        CompeconError, FileNotFoundError: If the task cannot be read, its data folder does not hold it, or the
            checkpoint is refused.
    """
    name = params.get("task")
    if not name:
        return Understood(())
    about = _about(params)
    if reads_all or str(name).startswith(FILES):
        task = task_of(params)
        lines = described(task)
        classes = (task.kind, task.labels, task.stated) if isinstance(task, Task) else (task.kind, (), False)
    else:
        entry, named = entry_of(name), options_of(name)[1].get("labels", ())
        if params.get("data") is not None and not entry.is_made:
            check_folder(entry, Path(params["data"]))
        lines, classes = (), (entry.kind, named or entry.labels, bool(named))
    return Understood(lines) if about is None else _matched(lines, classes, about, recipe)


def _about(params: Mapping[str, Any]) -> Preflight | None:
    """What the headers of a recipe's checkpoint say; None if it has none."""
    source = params.get("checkpoint") or params.get("base")
    if source is None:
        return None
    place = locate(source)
    return survey(place.path, trusted_root=place.trusted_root).preflight


def _matched(
    lines: tuple[str, ...], classes: tuple[str, tuple[str, ...], bool], about: Preflight, recipe: str
) -> Understood:
    kind, labels, stated = classes
    if kind == "language":
        return Understood(lines)
    doubt, refused = None, ""
    try:
        if about.kind == kind == "classification":
            match = match_labels(labels, about.labels, stated=stated)
            how = "" if match.by_name else ", by number"
            return Understood((*lines, f"{about.name}{how}: {match.shown(labels, about.labels)}."))
        if about.kind == kind:
            match_score(about.labels)
            return Understood(lines)
        refused = f"the task has {'scores' if kind == 'regression' else 'classes'}, and it is of kind {about.kind}."
    except LabelDoubtError as error:
        doubt = error
    except TaskError as error:
        refused = str(error)
    if recipe == _LEARN_ANY:
        return Understood((*lines, f"{about.name} gets a fresh head: {doubt or refused}"), doubt, may_begin=True)
    return Understood(lines, doubt, refused)
