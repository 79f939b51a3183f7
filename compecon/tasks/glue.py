"""What SST-2, STS-B, MNLI and SICK are, wherever their rows come from (`files`, `hub`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from compecon.tasks.metrics import accuracy, spearman
from compecon.tasks.task import Split, Task

SENTIMENT_LABELS = ("negative", "positive")
NLI_LABELS = ("entailment", "neutral", "contradiction")

Row = tuple[str, str | None, float]  # text, its pair if any, target
_MNLI_DEV_ROWS = 2000


def sst2(splits: Mapping[str, Split]) -> Task:
    """SST-2: is a sentence of a film review negative or positive?"""
    return Task("sst2", "classification", SENTIMENT_LABELS, splits, "accuracy", accuracy)


def stsb(splits: Mapping[str, Split]) -> Task:
    """STS-B: how alike are two sentences in meaning, from 0 (unrelated) to 5 (the same)?"""
    return Task("stsb", "regression", ("similarity",), splits, "spearman", spearman)


def sick(splits: Mapping[str, Split]) -> Task:
    """SICK: does the first sentence entail or contradict the second, in simple descriptions of scenes?"""
    return Task("sick", "classification", NLI_LABELS, splits, "accuracy", accuracy)


def mnli(train: Iterable[Row], matched: Iterable[Row]) -> Task:
    """MNLI: does the premise entail or contradict the hypothesis, in ten genres of English?

    Test labels are not public, so "test" is dev-matched, never used to choose, and "dev" is cut from the end of train.

    Args:
        train: Training rows; the last 2,000, at most a tenth, become "dev".
        matched: Rows of dev-matched.
    """
    rows = list(train)
    n_dev = min(_MNLI_DEV_ROWS, max(1, len(rows) // 10))
    splits = {"train": split(rows[:-n_dev], int), "dev": split(rows[-n_dev:], int), "test": split(matched, int)}
    return Task("mnli", "classification", NLI_LABELS, splits, "accuracy", accuracy)


def entailment(broad: Task, simple: Task) -> Task:
    """MNLI and SICK together: rehearse on all of MNLI, then learn SICK and as many rows of MNLI.

    MNLI alone is too broad for a few layers and a few thousand rows; SICK alone knows nothing but simple scenes.

    Args:
        broad: `mnli`. Its test rows are reported beside those of SICK.
        simple: `sick`. Its dev rows are what is chosen by.
    """
    learnt = simple.splits["train"]
    splits = {
        "rehearsal": broad.splits["train"],
        "train": learnt.joined(broad.splits["train"].head(len(learnt))),
        "dev": simple.splits["dev"],
        "test": simple.splits["test"],
        "MNLI dev-matched": broad.splits["test"],
    }
    return Task("entailment", "classification", NLI_LABELS, splits, "accuracy", accuracy)


def split(rows: Iterable[Row], target: type[int] | type[float]) -> Split:
    """Rows as columns; blanks around a text are dropped.

    Args:
        rows: Rows, all with a pair or all without.
        target: `int` for classes, `float` for scores.

    Raises:
        ValueError: If there is no row, or only some have a pair.
    """
    texts, pairs, targets = zip(*rows, strict=True) if (rows := list(rows)) else ((), (), ())
    return Split(
        tuple(text.strip() for text in texts),
        tuple(pair.strip() for pair in pairs if pair is not None),
        np.asarray(targets, dtype=np.int64 if target is int else np.float64),
    )
