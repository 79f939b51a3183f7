"""A task: texts with targets, in splits, and the number that says how well a model does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar, final

import numpy as np

from compecon.errors import TaskError
from compecon.tasks.labels import LabelMatch, match_labels, match_score, plain
from compecon.tasks.task_metrics import Metric

Kind = Literal["classification", "regression", "language"]
Part = TypeVar("Part", bound=Sized)


@final
@dataclass(frozen=True)
class Reading:
    """How a task's files were understood."""

    files: tuple[str, ...]  # name, form and columns of each, in a line
    notes: tuple[str, ...]  # what was decided or left out, and what may be wrong, a sentence each


@final
@dataclass(frozen=True)
class Split:
    """Rows of a task, column by column.

    Attributes:
        texts: The texts, or the first of each pair; at least one.
        pairs: The second text of each pair; empty for single texts.
        targets: Shape (row,): class indices (int64) or scores (float64).

    Raises:
        ValueError: If there is no row, or the columns differ in length.

    Example:
        >>> rows = Split(("A fine film.", "A dull film."), (), np.array([1, 0]))
        >>> len(rows), rows.head(1).texts
        (2, ('A fine film.',))
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

    def take(self, places: Sequence[int]) -> Split:
        """The rows at these places, in their order."""
        texts, pairs = (tuple(column[i] for i in places) if column else () for column in (self.texts, self.pairs))
        return Split(texts, pairs, self.targets[list(places)])

    def joined(self, other: Split) -> Split:
        """These rows, then those of another split."""
        targets = np.concatenate([self.targets, other.targets])
        return Split(self.texts + other.texts, self.pairs + other.pairs, targets)


class Measured(Generic[Part]):
    """What every task has, whatever its rows.

    Attributes:
        name: Short name.
        splits: "train" to learn from, "dev" to choose by, "test" to report once; "rehearsal" to learn from before
            "train", where there is one; any other name is reported beside "test". A task need not have them all.
        metrics: The first is what is chosen by; the others are reported beside it.
        kind: Which objective, rows and predictions it has.
    """

    name: str
    kind: Kind
    splits: Mapping[str, Part]
    metrics: tuple[Metric, ...]

    @property
    def metric(self) -> str:
        """Name of the metric that is chosen by."""
        return self.score.name

    @property
    def score(self) -> Metric:
        """The metric that is chosen by: call it with predictions and targets."""
        return self.metrics[0]

    @property
    def higher_is_better(self) -> bool:
        """Direction of the metric that is chosen by."""
        return self.score.higher_is_better

    @property
    def reported(self) -> tuple[str, ...]:
        """Names of the splits to report on; "dev" if there is nothing else."""
        beside = tuple(name for name in self.splits if name not in {"rehearsal", "train", "dev"})
        return beside or tuple(name for name in self.splits if name == "dev")

    def part(self, name: str) -> Part:
        """The rows of a split; TaskError if there are none. Without "train", a task can still be measured on."""
        if name not in self.splits:
            use = " It can be used to measure, not to learn." if name == "train" and self.reported else ""
            raise TaskError(f"{self.name} has no {name} rows here, only {', '.join(self.splits) or 'none'}.{use}")
        return self.splits[name]


@final
@dataclass(frozen=True)
class Task(Measured[Split]):
    """Classes or scores of texts or of pairs of texts.

    Attributes:
        name: Short name: "sst2", "xnli/de".
        kind: "classification" if targets are classes, "regression" if they are scores.
        labels: Class names by index; one name for the score of a regression.
        splits: As of every task.
        metrics: As of every task.
        stated: Whether a person has said that class 0, 1, ... is output 0, 1, ... of a head without names.
        reading: How its files were understood; None for a task that is not from files.

    Raises:
        TaskError: If a target is not the index of a label, or not finite.

    Example:
        >>> from compecon.tasks.task_metrics import accuracy
        >>> rows = Split(("A fine film.", "A dull film."), (), np.array([1, 0]))
        >>> task = Task("films", "classification", ("negative", "positive"), {"test": rows}, (accuracy,))
        >>> task.metric, task.check_labels(["POSITIVE", "NEGATIVE"]).columns
        ('accuracy', (1, 0))
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    splits: Mapping[str, Split]
    metrics: tuple[Metric, ...]
    stated: bool = False
    reading: Reading | None = None

    def __post_init__(self) -> None:
        for name, split in self.splits.items():
            wrong = np.flatnonzero(~self._possible(split.targets))
            if len(wrong):
                raise TaskError(
                    f"row {wrong[0] + 1} of {name} of {self.name} has the label {split.targets[wrong[0]]}, expected "
                    f"{self._expected()}. Rows without a label cannot be learnt from or measured on."
                )

    def check_labels(self, labels: Sequence[str]) -> LabelMatch:
        """Match the outputs of a head to the classes of this task.

        Args:
            labels: Names of the head's outputs in their order, as `Checkpoint.labels`.

        Returns:
            Which output is which class, for `predictions`; ``logits[:, match.columns]`` are in the task's order.

        Raises:
            LabelDoubtError: If the head has no names, and the order is not stated (see `with_order`).
            TaskError: If the head has another number of outputs, or other classes.
        """
        if self.kind == "regression":
            return match_score(labels)
        return match_labels(self.labels, labels, stated=self.stated)

    def with_order(self, names: Sequence[str]) -> Task:
        """The task with its classes in another order: the one that the outputs of a head without names have.

        Args:
            names: Its class names, in any spelling that `match_labels` takes for the same.

        Raises:
            TaskError: If the task has other classes, or none.
        """
        known, asked = [plain(name) for name in self.labels], [plain(name) for name in names]
        if self.kind == "regression" or len(set(asked)) < len(asked) or set(known) != set(asked):
            raise TaskError(f"labels={','.join(names)} are not those of {self.name}: {', '.join(self.labels)}.")
        order = [known.index(name) for name in asked]
        index = np.argsort(order)  # new index of each old class
        splits = {name: replace(split, targets=index[split.targets]) for name, split in self.splits.items()}
        return replace(self, labels=tuple(self.labels[place] for place in order), splits=splits, stated=True)

    def predictions(self, logits: np.ndarray, match: LabelMatch | None = None) -> np.ndarray:
        """What a model predicts, in the form of the targets: class indices (ties to the first class), or scores.

        Args:
            logits: Shape (row, output).
            match: Which output is which class; in the task's order if None.

        Returns:
            Shape (row,).

        Raises:
            TaskError: If there are not as many outputs as labels.
        """
        ordered = logits if match is None else logits[:, list(match.columns)]
        if ordered.shape[1:] != (len(self.labels),):
            raise TaskError(f"{self.name} needs {len(self.labels)} outputs a row, got logits of shape {logits.shape}.")
        said: np.ndarray = ordered[:, 0] if self.kind == "regression" else ordered.argmax(axis=-1)
        return said

    def _possible(self, targets: np.ndarray) -> np.ndarray:
        known = np.arange(len(self.labels))
        possible: np.ndarray = np.isfinite(targets) if self.kind == "regression" else np.isin(targets, known)
        return possible

    def _expected(self) -> str:
        return "a number" if self.kind == "regression" else f"0 to {len(self.labels) - 1}"
