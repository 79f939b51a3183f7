"""Statistics of a few hundred rows of a task under several key budgets, as they are kept. Loads without torch.

Kept are the rows' places in their split, never their texts; numbers with four digits after the point, those of a row
and head with three.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from compecon.evaluation.result_store import file_name_of
from compecon.evaluation.row_packing import packed, unpacked
from compecon.files.schema import check_schema
from compecon.tasks.cut import Cut

SCHEMA = 1
BUDGETS = (8, 4, 2, 1)
MOVED = 0.5  # a score that moves by more, on the task's scale, is another decision
_DIGITS = 4
Floats = NDArray[np.float64]


@final
@dataclass(frozen=True)
class StatisticsKey:
    """What was measured; equal keys have equal results."""

    digest: str  # of everything that is loaded from the checkpoint
    task: str
    split: str
    n_rows: int  # requested: the first ones of the shuffled split
    rows_digest: str  # of these rows themselves
    max_tokens: int = 128  # longer texts were cut
    budgets: tuple[int, ...] = BUDGETS  # keys that each query may read, falling; all keys come before them
    seed: int = 0  # of the shuffle

    def __post_init__(self) -> None:
        words = (self.digest, self.task, self.split, self.rows_digest)
        counts = (self.n_rows, self.max_tokens, *self.budgets)
        if not all(isinstance(word, str) for word in words) or type(self.seed) is not int:
            raise ValueError("one of its names is not text.")
        if not all(type(count) is int and count >= 1 for count in counts):
            raise ValueError("one of its counts is not a whole number above 0.")
        if any(one <= other for one, other in zip(self.budgets, self.budgets[1:], strict=False)):
            raise ValueError("its budgets must fall, each smaller than the one before.")

    @property
    def levels(self) -> tuple[int | None, ...]:
        """All budgets as they were measured: None for all keys, then fewer and fewer."""
        return (None, *self.budgets)

    @property
    def same_rows(self) -> tuple[object, ...]:
        """What two measurements must share to be compared row by row."""
        return (self.task, self.split, self.rows_digest, self.max_tokens, self.budgets)

    @property
    def file_name(self) -> str:
        """Name of the file: readable, and unlike that of any other key."""
        return file_name_of(asdict(self), f"{self.digest}-{self.task[-40:]}-{self.split}-{self.n_rows}")


@final
@dataclass(frozen=True, eq=False)
class RowStatistics:
    """What was measured. Arrays begin with the budgets of `key.levels`; a head that was removed holds NaN.

    Attributes:
        key: What was measured.
        checkpoint: Name of the checkpoint.
        labels: The task's classes, or the name of its score.
        metric: Name of the metric that the task is chosen by.
        is_score: Whether predictions are scores; else they are classes.
        rows: Places of the rows in their split.
        n_tokens: Tokens of each row as it was read.
        targets: Shape (row,): classes or scores.
        gini: Shape (budget, row): mean over queries, then over the heads that are left.
        entropy: Likewise, nats.
        predictions: Shape (budget, row): classes or scores.
        head_gini: Shape (budget, layer, head): mean over rows, heads at their places in the dense model.
        head_entropy: Likewise, nats.
        cell_gini: Shape (row, layer, head): with all keys.
        cell_entropy: Likewise, nats.
        hardware: What it ran on.
        versions: Of the libraries.
        measured_at: Seconds since 1970, for display.
        cut: How much of the texts was too long to be read; None where an older version measured.
    """

    key: StatisticsKey
    checkpoint: str
    labels: tuple[str, ...]
    metric: str
    is_score: bool
    rows: tuple[int, ...]
    n_tokens: tuple[int, ...]
    targets: Floats
    gini: Floats
    entropy: Floats
    predictions: Floats
    head_gini: Floats
    head_entropy: Floats
    cell_gini: Floats
    cell_entropy: Floats
    hardware: Mapping[str, Any]
    versions: Mapping[str, str]
    measured_at: float
    cut: Cut | None = None

    def __post_init__(self) -> None:
        n_rows, n_levels, grid = len(self.rows), len(self.key.levels), self.head_gini.shape[1:]
        shapes = {
            "targets": (n_rows,),
            **dict.fromkeys(("gini", "entropy", "predictions"), (n_levels, n_rows)),
            **dict.fromkeys(("head_gini", "head_entropy"), (n_levels, *grid)),
            **dict.fromkeys(("cell_gini", "cell_entropy"), (n_rows, *grid)),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape or len(grid) != 2:
                raise ValueError(f"{name} has the shape {getattr(self, name).shape}, expected {shape}.")
        if not n_rows or len(self.n_tokens) != n_rows or len(set(self.rows)) != n_rows:
            raise ValueError("rows and their lengths do not fit together.")
        if not all(np.isfinite(getattr(self, name)).all() for name in ("targets", "gini", "entropy", "predictions")):
            raise ValueError("a number of a row is not finite.")

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Heads that are left, shape (layer, head)."""
        left: NDArray[np.bool_] = np.isfinite(self.head_gini[0])
        return left

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the decision is the target, or the score at most `MOVED` off; shape (budget, row)."""
        near: NDArray[np.bool_] = self.errors <= (MOVED if self.is_score else 0)
        return near

    @property
    def errors(self) -> Floats:
        """How far predictions are off, shape (budget, row); of classes, 1 for a wrong one."""
        off: Floats = np.abs(self.predictions - self.targets)
        return off if self.is_score else (off > 0).astype(np.float64)

    @property
    def flips(self) -> NDArray[np.int64]:
        """The first budget, as keys become fewer, at which the decision is not that with all keys; 0 for never."""
        moved = np.abs(self.predictions[1:] - self.predictions[0]) > (MOVED if self.is_score else 0)
        first = moved.argmax(axis=0) if len(moved) else np.zeros(len(self.rows), dtype=np.int64)
        budgets = np.array([*self.key.budgets, 0], dtype=np.int64)
        found: NDArray[np.int64] = np.where(moved.any(axis=0), budgets[first], 0)
        return found

    @classmethod
    def read(cls, written: object) -> Self:
        """Read what :meth:`written` wrote.

        Raises:
            ValueError: If it is anything else.
        """
        try:
            return cls(**_read(dict(written)))  # type: ignore[call-overload]
        except (TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
            raise ValueError(f"it does not hold statistics of rows: {error!r}.") from error

    def written(self) -> dict[str, Any]:
        """JSON values that :meth:`read` reads."""
        kept = self.kept
        plain = {name: getattr(self, name) for name in ("checkpoint", "metric", "is_score", "measured_at")}
        lists = {name: list(getattr(self, name)) for name in ("labels", "rows", "n_tokens")}
        arrays = {name: _rounded(getattr(self, name)) for name in ("targets", *_BY_LEVEL, *_BY_HEAD)}
        cells = {name: packed(getattr(self, name)[:, kept]) for name in _CELLS}
        about = {"hardware": dict(self.hardware), "versions": dict(self.versions)}
        cut = {} if self.cut is None else {"cut": self.cut.written()}
        return {"schema": SCHEMA, "key": asdict(self.key), **plain, **lists, **arrays, "cells": cells, **about, **cut}


_BY_LEVEL, _BY_HEAD = ("gini", "entropy", "predictions"), ("head_gini", "head_entropy")
_CELLS = ("cell_gini", "cell_entropy")


def _read(given: dict[str, Any]) -> dict[str, Any]:
    check_schema(given, SCHEMA, "it")
    names = {"cells", *(each.name for each in fields(RowStatistics))}
    given = {name: value for name, value in given.items() if name in names}
    key, cells = given.pop("key"), given.pop("cells")
    given["cut"] = Cut.read(given.get("cut"))
    given["key"] = StatisticsKey(**{**key, "budgets": tuple(key["budgets"])})
    for name in ("labels", "rows", "n_tokens"):
        given[name] = tuple(given[name])
    if not all(type(n) is int and n >= 0 for name in ("rows", "n_tokens") for n in given[name]):
        raise ValueError("the place or the length of a row is not a whole number.")
    if not all(isinstance(each, str) for each in (given["checkpoint"], given["metric"], *given["labels"])):
        raise ValueError("one of its names is not text.")
    if type(given["is_score"]) is not bool or not isinstance(given["measured_at"], int | float):
        raise ValueError("one of its values has the wrong type.")
    for name in ("targets", *_BY_LEVEL, *_BY_HEAD):
        given[name] = np.array(given[name], dtype=np.float64)  # null becomes NaN
    kept = np.isfinite(given["head_gini"][0])
    for name in _CELLS:
        grid = np.full((len(given["rows"]), *kept.shape), np.nan)
        grid[:, kept] = unpacked(cells[name], len(given["rows"]), int(kept.sum()))
        given[name] = grid
    return given


def _rounded(values: Floats) -> Any:
    """Lists of numbers with four digits; whole ones without a point, and None for NaN."""
    if values.ndim > 1:
        return [_rounded(part) for part in values]
    rounded = np.round(values, _DIGITS).tolist()
    return [None if x != x else int(x) if x == int(x) else x for x in rounded]
