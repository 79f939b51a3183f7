"""A task: texts with what should be said about them, in splits, and the number that says how well it was said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from compecon.tasks.metrics import Estimate

Kind = Literal["classification", "regression"]


@dataclass(frozen=True)
class Split:
    """Rows of a task, column by column.

    Attributes:
        texts: The texts, or the first of each pair.
        pairs: The second text of each pair; empty for single texts.
        targets: Shape (row,): class indices (int64) or scores (float64).
    """

    texts: tuple[str, ...]
    pairs: tuple[str, ...]
    targets: np.ndarray

    def __post_init__(self) -> None:
        if len(self.texts) != len(self.targets) or len(self.pairs) not in (0, len(self.texts)):
            raise ValueError(
                f"columns differ: {len(self.texts)} texts, {len(self.pairs)} pairs, {len(self.targets)} targets."
            )
        if not self.texts:
            raise ValueError("a split has no rows.")

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def all_texts(self) -> tuple[str, ...]:
        """Every text of the split, first ones before second ones."""
        return self.texts + self.pairs

    def head(self, rows: int) -> Split:
        """The first rows, at most all."""
        return Split(self.texts[:rows], self.pairs[:rows], self.targets[:rows])

    def joined(self, other: Split) -> Split:
        """These rows, then those of another split."""
        targets = np.concatenate([self.targets, other.targets])
        return Split(self.texts + other.texts, self.pairs + other.pairs, targets)


@dataclass(frozen=True)
class Task:
    """A named task.

    Attributes:
        name: Short name: "sst2", "stsb", "mnli", "sick".
        kind: Whether targets are classes or scores.
        labels: Class names by index; one name for the score of a regression.
        splits: "train" to learn from, "dev" to choose by, "test" to report once; "rehearsal" to learn from before
            "train", where there is one; any other name is reported beside "test".
        metric: Name of the metric.
        score: Predictions and targets to the metric with its interval.
        higher_is_better: Direction of the metric.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    splits: Mapping[str, Split]
    metric: str
    score: Callable[[np.ndarray, np.ndarray], Estimate]
    higher_is_better: bool = True

    @property
    def reported(self) -> tuple[str, ...]:
        """Names of the splits to report on."""
        return tuple(name for name in self.splits if name not in {"rehearsal", "train", "dev"})
