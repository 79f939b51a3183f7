"""What each size of an elastic model is worth to a text, by something that is known before the text is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeAlias, final

import numpy as np
import torch
from torch import Tensor

from compecon.allocation.utilities.arrays import Numbers, numbers
from compecon.callbacks import NOBODY, Callbacks
from compecon.checkpoints.load import Checkpoint
from compecon.errors import TaskError
from compecon.evaluation.evaluate_model import evaluate_checkpoint, within
from compecon.evaluation.predict_rows import predict
from compecon.serving.distinct import distinct_sizes
from compecon.tasks.encode_rows import encode
from compecon.tasks.task import Task

Feature: TypeAlias = Literal["confidence", "length"]
FEATURES: tuple[Feature, ...] = ("confidence", "length")
_ROWS, _MOST_GROUPS = 150, 10  # of a group: a share of so many rows is known to about 6 points, 95%


@final
@dataclass(frozen=True, eq=False)
class Router:
    """Which share of texts like a given one each size of an elastic model answers correctly.

    Texts are alike if they are in the same group of a feature: "length", tokens, which costs nothing to know; or
    "confidence", the largest probability that the smallest size gives a class, for which that size reads every text.

    Attributes:
        feature: What tells texts apart.
        sizes: Budgets of the checkpoint, rising; two or more.
        edges: Upper ends of all groups but the last, rising, shape (group − 1,).
        worth: Share of correct answers, in [0, 1], shape (group, size).
        n_rows: Rows that it was measured on.
        digest: Of the checkpoint that it was measured with.

    Raises:
        ValueError: If shapes do not fit, or a number is out of its range.
    """

    feature: Feature
    sizes: tuple[float, ...]
    edges: Numbers
    worth: Numbers
    n_rows: int
    digest: str

    def __post_init__(self) -> None:
        _check(self.feature, self.sizes)
        edges, worth = np.asarray(self.edges, dtype=np.float64), numbers(self.worth, "worth")
        if worth.shape != (len(edges) + 1, len(self.sizes)) or (worth > 1).any():
            raise ValueError(
                f"worth must be shares of shape (group, size), here {(len(edges) + 1, len(self.sizes))}, got "
                f"{worth.shape} up to {worth.max():g}."
            )
        if not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
            raise ValueError(f"edges must be finite and rise, got {edges.tolist()}.")

    @classmethod
    def read(cls, written: Any) -> Self:
        """Read what :meth:`written` wrote, from JSON; ValueError for anything else."""
        try:
            edges, worth = (np.array(written[name], dtype=np.float64) for name in ("edges", "worth"))
            sizes, n_rows = tuple(map(float, written["sizes"])), int(written["n_rows"])
            return cls(written["feature"], sizes, edges, worth, n_rows, str(written["digest"]))
        except (TypeError, KeyError, OverflowError) as error:
            raise ValueError(f"this is no router ({error}). Give what its `written` gave.") from error

    def written(self) -> dict[str, Any]:
        """JSON values that :meth:`read` reads."""
        arrays = {name: getattr(self, name).tolist() for name in ("edges", "worth")}
        said = {name: getattr(self, name) for name in ("feature", "n_rows", "digest")}
        return {**said, "sizes": list(self.sizes), **arrays}

    @property
    def looks(self) -> bool:
        """Whether the smallest size reads every text before its size is chosen."""
        return self.feature == "confidence"

    def values(self, feature: Numbers) -> Numbers:
        """What each size is worth to texts with such a feature, shape (text,) to (text, size)."""
        of_group: Numbers = self.worth[np.searchsorted(self.edges, feature)]
        return of_group


def fit_router(  # noqa: PLR0913 - a measurement has these conditions
    checkpoint: Checkpoint,
    task: Task,
    split: str = "dev",
    *,
    sizes: Sequence[float] = (),
    feature: Feature = "confidence",
    max_tokens: int = 512,
    callbacks: Callbacks = NOBODY,
) -> Router:
    """Measure on rows with known answers what each size is worth, in groups of about 150 rows or more, 10 at most.

    Args:
        checkpoint: An elastic classifier.
        task: What it was made for.
        split: Which rows; not those that a result is reported on.
        sizes: Budgets to choose from; those that were trained if empty.
        feature: What tells texts apart: see `Router`.
        max_tokens: Longer texts are cut, also to what the checkpoint can read.
        callbacks: As of `evaluate`.

    Raises:
        CheckpointError: If the checkpoint has a single size, or a budget is out of its range.
        TaskError: If the checkpoint is no classifier of the task, or there is no such split.
        ValueError: If fewer than two sizes differ, or there is no such feature.
        TrainingInterruptedError: If the watch asked to stop.
    """
    chosen = distinct_sizes(checkpoint, sizes)
    _check(feature, chosen)
    if task.kind != "classification":
        raise TaskError(f"{task.name} has no classes that a size gets right or wrong. Take a task of classes.")
    part = task.part(split)
    right = []
    for size in chosen:
        at = checkpoint.at(size)
        found = evaluate_checkpoint(at, task, split, max_tokens=max_tokens, callbacks=callbacks.named(at.name))
        right.append(found.predictions == part.targets)
    rows = encode(checkpoint.tokenizer, part, within(checkpoint, max_tokens))
    known = np.array([len(row["input_ids"]) for row in rows], dtype=np.float64)
    if feature == "confidence":
        known = confidence(predict(checkpoint.at(chosen[0]).model, checkpoint.tokenizer, rows))
    edges = _edges(known)
    group = np.searchsorted(edges, known)
    worth = np.stack([np.stack(right, axis=1)[group == each].mean(axis=0) for each in range(len(edges) + 1)])
    return Router(feature, chosen, edges, worth, len(part), checkpoint.digest)


def _check(feature: str, sizes: Sequence[float]) -> None:
    if feature not in FEATURES:
        raise ValueError(f"feature must be one of {', '.join(FEATURES)}, got {feature!r}.")
    if len(sizes) < 2 or (np.diff(sizes) <= 0).any():
        raise ValueError(f"a router needs two or more rising sizes, got {list(sizes)}.")


def confidence(logits: Tensor) -> Numbers:
    """The largest probability of a class, shape (text, class) to (text,)."""
    largest: Numbers = torch.softmax(logits.double(), dim=-1).amax(dim=-1).numpy()
    return largest


def _edges(known: Numbers) -> Numbers:
    """Ends of groups as equal as can be, none of them empty."""
    n_groups = max(1, min(_MOST_GROUPS, len(known) // _ROWS))
    inside = np.unique(np.quantile(known, np.arange(1, n_groups) / n_groups, method="lower"))
    edges: Numbers = inside[inside < known.max()]
    return edges
