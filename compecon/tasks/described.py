"""What a task is, once its rows are read, in lines for people: what to look at before anything is done with it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from compecon.tasks.language_task import LanguageTask
from compecon.tasks.task import Split, Task

_SHOWN = 60  # characters of a text
_CLASSES = 12  # named with their counts
_FEW = 30  # rows: an interval of an accuracy is then about 35 points wide
_KINDS = {"classification": "classes", "regression": "scores"}


def described(task: Task | LanguageTask) -> tuple[str, ...]:
    """Kind, files, rows and classes by split, the first row, and what was decided or may be wrong."""
    if isinstance(task, LanguageTask):
        counts = ", ".join(f"{name} {len(part):,}" for name, part in task.splits.items())
        return (f"{task.name}: documents to predict token by token: {counts}.",)
    files, notes = (task.reading.files, task.reading.notes) if task.reading is not None else ((), ())
    first = next(iter(task.splits.values()))
    pairs = "pairs of texts" if first.pairs else "texts"
    return (
        f"{task.name}: {_KINDS[task.kind]} of {pairs}.",
        *map(str, files),
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
            yield f"{name} has only {len(split)} rows, too few to tell checkpoints apart."


def _targets(task: Task, split: Split) -> str:
    if task.kind == "regression":
        low, mean, high = (float(each) for each in (split.targets.min(), split.targets.mean(), split.targets.max()))
        return f"scores from {low:.4g} to {high:.4g}, {mean:.4g} in the mean."
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
