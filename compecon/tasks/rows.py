"""Rows on their way to a split: as columns, shuffled, cut into what is learnt and chosen by, and a few of many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from compecon.tasks.language_task import LanguageTask
from compecon.tasks.task import Split, Task

Row = tuple[str, str | None, float]  # text, its pair if any, target
_DEV_ROWS = 2000


def split(rows: Iterable[Row], target: type[int] | type[float]) -> Split:
    """Rows, all or none with a pair, as columns, without blanks around a text; ValueError if there is none."""
    texts, pairs, targets = zip(*rows, strict=True) if (rows := list(rows)) else ((), (), ())
    return Split(
        tuple(text.strip() for text in texts),
        tuple(pair.strip() for pair in pairs if pair is not None),
        np.asarray(targets, dtype=np.int64 if target is int else np.float64),
    )


def held_out(rows: Sequence[Row], target: type[int] | type[float]) -> dict[str, Split]:
    """Cut training rows into "train" and "dev", where the only other rows with labels are kept for "test".

    The last 2,000 rows, at most a tenth, become "dev"; their order must mean nothing.
    """
    n_dev = min(_DEV_ROWS, max(1, len(rows) // 10))
    return {"train": split(rows[:-n_dev], target), "dev": split(rows[-n_dev:], target)}


def shuffled(rows: Sequence[Row]) -> list[Row]:
    """The rows in one and the same random order: many data sets are sorted by source, and their end is not typical."""
    return [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]


def chosen_rows(n_all: int, n_rows: int, seed: int = 0) -> tuple[int, ...]:
    """Places of the first rows of a shuffled split: the same for every checkpoint, fewer being the first of more."""
    return tuple(np.random.default_rng(seed).permutation(n_all)[:n_rows].tolist())


def with_few_rows(task: Task | LanguageTask, name: str, n_rows: int | None) -> Task | LanguageTask:
    """A task whose only split is `name`, with its :func:`chosen_rows`; the task itself for None, or if it has no more.

    Raises:
        TaskError: If there is no such split.
    """
    part = task.part(name)
    if n_rows is None or n_rows >= len(part):
        return task
    places = chosen_rows(len(part), n_rows)
    if isinstance(task, Task):
        return replace(task, splits={name: task.part(name).take(places)})
    return replace(task, splits={name: tuple(task.part(name)[place] for place in places)})
