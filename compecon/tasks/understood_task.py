"""What a recipe will work on: the rows of its task, and which class is which output. Loads without torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from compecon.checkpoints.gate.intake import survey
from compecon.checkpoints.gate.preflight import Preflight
from compecon.checkpoints.locate import locate
from compecon.errors import TaskError
from compecon.tasks.labels import LabelDoubtError, match_labels, match_score
from compecon.tasks.language_task import LanguageTask
from compecon.tasks.task import Split, Task
from compecon.tasks.task_registry import FILES, AnyTask, check_folder, entry_of, options_of, read_task

_SHOWN = 60  # characters of a text
_CLASSES = 12  # named with their counts
_FEW = 30  # rows: an interval of an accuracy is then about 35 points wide
_KINDS = {"classification": "classes", "regression": "scores"}
_LEARN_ANY = "train"  # puts a fresh head on what is not made for the task


@final
@dataclass(frozen=True)
class Understood:
    """How a recipe's task was understood."""

    lines: tuple[str, ...]  # for people
    doubt: LabelDoubtError | None = None  # why it is unknown which class is which output; None if it is known
    refused: str = ""  # why the checkpoint is not made for the task; "" if it is, or that is unknown
    may_begin: bool = False  # whether that does not matter: a training then puts a fresh head on

    def require(self) -> None:
        """Raise TaskError if it is unknown which class is which output, or the checkpoint is not made for the task."""
        if self.doubt is not None and not self.may_begin:
            raise self.doubt
        if self.refused:
            raise TaskError(self.refused)


def task_of(params: Mapping[str, Any]) -> AnyTask:
    """The task named in a recipe's checked settings, read once its checkpoint is found, which takes a moment.

    Raises:
        CheckpointError: If there is no such checkpoint, or its files are refused.
        CompeconError, FileNotFoundError: As of `read_task`.
    """
    _about(params)
    data = params.get("data")
    folder = None if data is None else Path(data)
    return read_task(params["task"], folder, skip_bad_rows=bool(params.get("skip_bad_rows")))


def understood(recipe: str, params: Mapping[str, Any], *, reads_all: bool = False) -> Understood:
    """Look at what a recipe with these checked settings will work on; empty for a recipe without a task.

    With `reads_all`, also read the rows of a task that is not a local file, which may take a while, or the Hub.

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
        asked = "scores" if kind == "regression" else "classes"
        refused = f"the task has {asked}, but the checkpoint is of kind {about.kind}."
    except LabelDoubtError as error:
        doubt = error
    except TaskError as error:
        refused = str(error)
    if recipe == _LEARN_ANY:
        return Understood((*lines, f"{about.name} gets a fresh head: {doubt or refused}"), doubt, may_begin=True)
    return Understood(lines, doubt, refused)


def described(task: AnyTask) -> tuple[str, ...]:
    """A task in lines for people: kind, files, rows and classes by split, the first row, and what may be wrong."""
    if isinstance(task, LanguageTask):
        counts = ", ".join(f"{name} {len(part):,}" for name, part in task.splits.items())
        return (f"{task.name}: documents to predict token by token: {counts}.",)
    files, notes = (task.reading.files, task.reading.notes) if task.reading is not None else ((), ())
    first = next(iter(task.splits.values()))
    pairs = "pairs of texts" if first.pairs else "texts"
    return (
        f"{task.name}: {_KINDS[task.kind]} of {pairs}.",
        *files,
        *(f"{name}: {len(split):,} rows; {_targets(task, split)}" for name, split in task.splits.items()),
        f"First row: {_row(task, first)}",
        *(f"Note: {note}" for note in (*notes, *_doubts(task))),
    )


def _doubts(task: Task) -> Iterator[str]:
    """What looks wrong with the splits."""
    for name, split in task.splits.items():
        if task.kind == "classification":
            counts = np.bincount(split.targets, minlength=len(task.labels)).tolist()
            if absent := [label for label, n in zip(task.labels, counts, strict=True) if not n]:
                listed = ", ".join(absent[:_CLASSES])
                yield f"{name} has no row of {listed}: add rows, or draw other splits with seed=."
        if len(split) < _FEW:
            yield f"{name} has only {len(split)} rows, too few to compare checkpoints."


def _targets(task: Task, split: Split) -> str:
    if task.kind == "regression":
        low, mean, high = (float(each) for each in (split.targets.min(), split.targets.mean(), split.targets.max()))
        return f"scores from {low:.4g} to {high:.4g}, {mean:.4g} on average."
    return f"{', '.join(_counts(task, split))}."


def _counts(task: Task, split: Split) -> Iterator[str]:
    counts = np.bincount(split.targets, minlength=len(task.labels)).tolist()
    for name, n in list(zip(task.labels, counts, strict=True))[:_CLASSES]:
        yield f"{name}: {n:,}"
    if len(counts) > _CLASSES:
        yield f"and {len(counts) - _CLASSES} more classes"


def _row(task: Task, split: Split) -> str:
    texts = [split.texts[0], *split.pairs[:1]]
    target = split.targets[0]
    label = f"{target:g}" if task.kind == "regression" else task.labels[int(target)]
    return f"{' | '.join(map(_shortened, texts))} is {label}."


def _shortened(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= _SHOWN else f"{flat[:_SHOWN]}...")
