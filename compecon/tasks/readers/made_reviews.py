"""Film reviews that this package writes itself, so that there is a task where there is no network and no data.

The task `reviews`: 4,000 texts to learn from, 500 to choose by, 1,000 to report. Nobody wrote them and nobody saw the
films: a grammar draws them, and knows what it meant. Their words are simpler than people's and their twists (denial,
concession, hearsay, comparison) more frequent, so a score on them says whether a training works, and little about how
good a model is with real text. The bundled checkpoint `sentiment` starts at about two thirds.
"""

from __future__ import annotations

from dataclasses import replace

from compecon.tasks.definition import Definition
from compecon.tasks.made.grammar import Review
from compecon.tasks.made.writer import Dice, Writer
from compecon.tasks.readers.glue import SENTIMENT_LABELS
from compecon.tasks.rows import split
from compecon.tasks.task import Task
from compecon.tasks.task_metrics import accuracy

VERSION = 1
"""All that the rows depend on. Whoever changes a row raises it."""

SOURCE = f"made by compecon, version {VERSION}: synthetic"
NEW_FORMS = "new forms"
WORDS = (4, 40)
"""Fewest and most words of a review."""

REVIEWS = Definition(
    "reviews",
    "Is a synthetic sentence of a film review, made by compecon, negative or positive?",
    SENTIMENT_LABELS,
    (accuracy,),
    "synthetic, made by compecon: free of rights",
)
SHOWN = "reviews (synthetic)"  # results and checkpoints carry this name to where nobody sees the title
_ROWS = {"train": 4000, "dev": 500, "test": 1000}


def made_reviews() -> Task:
    """The task, the same rows each time.

    Every split has as many reviews that praise as reviews that blame, and no two reviews say the same. Every second
    test row has a form that neither train nor dev have; these 500 are also a split of their own, "new forms".
    """
    splits = {name: [(each.text, None, int(each.good)) for each in some] for name, some in written().items()}
    splits[NEW_FORMS] = splits["test"][1::2]
    return replace(REVIEWS.task({name: split(rows, int) for name, rows in splits.items()}), name=SHOWN)


def written() -> dict[str, list[Review]]:
    """The reviews of train, dev and test with their structure, from which each label can be checked."""
    dice, seen = Dice(VERSION), set[str]()
    writer = Writer(dice)
    return {name: _part(name, writer, dice, seen) for name in _ROWS}


def _part(name: str, writer: Writer, dice: Dice, seen: set[str]) -> list[Review]:
    n_half = _ROWS[name] // 2
    halves = [dice.several([True, False] * (n_half // 2), n_half) for _ in range(2)]
    return [
        _unseen(writer, good, name == "test" and place == 1, seen)
        for pair in zip(*halves, strict=True)
        for place, good in enumerate(pair)
    ]


def _unseen(writer: Writer, good: bool, is_new: bool, seen: set[str]) -> Review:
    while True:
        review = writer.review(good, is_new)
        if review.said not in seen and WORDS[0] <= len(review.text.split()) <= WORDS[1]:
            seen.add(review.said)
            return review
