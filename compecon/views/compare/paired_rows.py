"""Two checkpoints on the same rows of a task: Gini, entropy and quality against the key budget, and where they differ.

Means are over rows, each row counting the same; a row's number is the mean over its queries and heads. Differences are
A - B on the same rows, so that what both find hard cancels out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from compecon.evaluation.row_records import RowStatistics
from compecon.tasks import task_metrics as metrics
from compecon.tasks.task_metrics import Estimate, Metric, paired
from compecon.views.checked_values import few
from compecon.views.compare.compared_heads import HeadRow, Selection, heads, selection
from compecon.views.compare.resamples import Band, band, correlations, mean_bands
from compecon.views.compare.telling_rows import disagreements

_CORRELATIONS = frozenset({metrics.pearson.name, metrics.spearman.name})
_METRICS: Mapping[str, Metric] = {each.name: each for each in (metrics.matthews, metrics.f1)}
_KNOWN = _CORRELATIONS | _METRICS.keys() | {metrics.accuracy.name}


@final
@dataclass(frozen=True)
class Sides:
    """One quantity of A, of B, and A - B on the same rows."""

    a: Band
    b: Band
    difference: Band


@final
@dataclass(frozen=True)
class DatasetLevel:
    """Both under one key budget."""

    keys: int | None  # keys that each query may read; None for all
    gini: Sides
    entropy: Sides  # mean entropy, in nats
    quality: Sides


@final
@dataclass(frozen=True)
class DatasetView:
    """Two checkpoints on the same rows."""

    a: str
    b: str
    task: str
    split: str
    n_rows: int
    metric: str
    levels: tuple[DatasetLevel, ...]  # under each budget, all keys first
    selection: tuple[Selection, ...]  # for Gini and entropy; empty where heads cannot be matched
    heads: tuple[HeadRow, ...]  # every head that one of them has; empty where heads cannot be matched
    n_disagree: int  # rows that they decide differently with all keys
    notes: tuple[str, ...]  # what to know, a sentence each


def dataset_problem(a: RowStatistics, b: RowStatistics) -> str:
    """Why two cannot be compared, a sentence; "" if they can."""
    one, other = a.key, b.key
    same_rows = one.rows_digest == other.rows_digest and a.rows == b.rows
    checks = (
        (one.task == other.task, f"was measured on {one.task}, B on {other.task}. Measure both on one task."),
        (
            one.split == other.split,
            f"was measured on {one.task} {one.split}, B on {other.split}. Measure both on one split.",
        ),
        (a.labels == b.labels, f"has the classes {few(a.labels)}, B {few(b.labels)}. The classes have to match."),
        (
            same_rows,
            f"was measured on {len(a.rows)} rows and B on {len(b.rows)}, and the rows differ. Measure both on the same "
            "data, with the same number of rows.",
        ),
        (
            one.budgets == other.budgets,
            f"was measured at {_listed(one.budgets)} keys, B at {_listed(other.budgets)}. Measure both at the same "
            "budgets.",
        ),
        (
            one.max_tokens == other.max_tokens,
            f"read at most {one.max_tokens} tokens per text, B {other.max_tokens}. Measure both with the same limit.",
        ),
    )
    return next((f"A {difference}" for is_same, difference in checks if not is_same), "")


def dataset_view(a: RowStatistics, b: RowStatistics) -> DatasetView:
    """Compare two checkpoints on the same rows.

    Raises:
        ValueError: If they were not measured on the same rows in the same way; it says what differs.
    """
    if problem := dataset_problem(a, b):
        raise ValueError(problem)
    gini, entropy = (_sides(getattr(a, name), getattr(b, name)) for name in ("gini", "entropy"))
    quality = [_quality(a, b, place) for place in range(len(a.key.levels))]
    levels = zip(a.key.levels, gini, entropy, quality, strict=True)
    matched = a.kept.shape == b.kept.shape
    return DatasetView(
        a=a.checkpoint,
        b=b.checkpoint,
        task=a.key.task,
        split=a.key.split,
        n_rows=len(a.rows),
        metric=a.metric if a.metric in _KNOWN else "share right",
        levels=tuple(DatasetLevel(*level) for level in levels),
        selection=(selection(a, b, "gini"), selection(a, b, "entropy")) if matched else (),
        heads=heads(a, b) if matched else (),
        n_disagree=int(disagreements(a, b).sum()),
        notes=_notes(a, b),
    )


def _sides(a: np.ndarray, b: np.ndarray) -> list[Sides]:
    """Of shape (budget, row), a budget each."""
    bands = (mean_bands(rows.T) for rows in (a, b, a - b))
    return [Sides(*sides) for sides in zip(*bands, strict=True)]


def _quality(a: RowStatistics, b: RowStatistics, place: int) -> Sides:
    """The task's metric; of an unknown one, the share of rows that are right."""
    if a.metric in _CORRELATIONS:
        (of_a, drawn_a), (of_b, drawn_b) = (
            correlations(one.predictions[place], a.targets, of_ranks=a.metric == metrics.spearman.name)
            for one in (a, b)
        )
        return Sides(band(of_a, drawn_a), band(of_b, drawn_b), band(of_a - of_b, drawn_a - drawn_b))
    if a.metric not in _METRICS:
        return _sides(*(one.right[place : place + 1].astype(float) for one in (a, b)))[0]
    metric, said_a, said_b = _METRICS[a.metric], a.predictions[place], b.predictions[place]
    found = (metric(said_a, a.targets), metric(said_b, a.targets), paired(metric, said_b, said_a, a.targets))
    return Sides(*(_of_estimate(each) for each in found))


def _of_estimate(found: Estimate) -> Band:
    numbers = (found.value, found.low, found.high)
    return Band(*numbers) if all(map(np.isfinite, numbers)) else Band(None)


def _notes(a: RowStatistics, b: RowStatistics) -> tuple[str, ...]:
    found = []
    if a.kept.shape != b.kept.shape:
        shapes = " and ".join(f"{layers} layers of {heads}" for layers, heads in (a.kept.shape, b.kept.shape))
        found.append(f"They have {shapes} heads: heads cannot be matched, so only means over all heads are compared.")
    if a.n_tokens != b.n_tokens:
        found.append(
            "Their tokenizers split the texts differently. Gini and entropy depend on the number of keys, which may "
            "explain part of a difference."
        )
    found += [f"{name}: {each.cut}" for name, each in (("A", a), ("B", b)) if each.cut is not None and each.cut.n_cut]
    if a.key.digest == b.key.digest:
        found.append("A and B are the same checkpoint.")
    return tuple(found)


def _listed(budgets: tuple[int, ...]) -> str:
    return ", ".join(map(str, budgets)) or "all"
