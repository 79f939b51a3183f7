"""Stored measurements on the frontier: quality at each key budget, and at all keys where no card states it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from compecon.checkpoints.catalog import CheckpointEntry
from compecon.evaluation.evaluation_records import EvaluationRecord
from compecon.views.frontier.card_points import identity_of
from compecon.views.frontier.checked_numbers import costs_of
from compecon.views.frontier.frontier_points import CurvePoint, FrontierPoint, Reading
from compecon.views.frontier.names import DENSE, is_higher_better, task_of
from compecon.views.frontier.shapes import digest_of, size_of

_POLICIES = ("", "top-k")


def with_curves(
    points: Iterable[FrontierPoint], records: Iterable[EvaluationRecord], folders: Mapping[str, Path]
) -> tuple[FrontierPoint, ...]:
    """Give each point that has a checkpoint the budgets it was measured at; of these weights, task and split alone.

    Args:
        points: The points.
        records: The measurements.
        folders: Where a point's checkpoint is, by the point's ``checkpoint``.
    """
    # A smaller size of an elastic checkpoint has other weights than the folder that it is cut from.
    digest, by_name = cache(digest_of), defaultdict[str, list[EvaluationRecord]](list)
    for record in records:
        if record.key.share is None and record.key.policy in _POLICIES:
            by_name[record.checkpoint].append(record)
    return tuple(
        _with_curve(point, by_name, folders.get(point.checkpoint) if point.budget in (None, 1.0) else None, digest)
        for point in points
    )


def _with_curve(
    point: FrontierPoint,
    by_name: Mapping[str, list[EvaluationRecord]],
    folder: Path | None,
    digest_in: Callable[[Path], str],
) -> FrontierPoint:
    same = [one for one in by_name.get(folder.name, []) if _is_of(one, point)] if folder is not None else []
    if folder is None or not same:
        return point
    digest = digest_in(folder)
    records = sorted((one for one in same if one.key.digest == digest), key=lambda one: one.measured_at)
    if not records:
        return point
    measured = {curve.keys: curve for curve in point.curve}
    for record in records:
        value = _reading(record, point.metric)
        if value is not None:
            reads = None if record.reads is None or record.n_tokens != point.n_tokens else float(record.reads)
            measured[record.key.keys] = CurvePoint(record.key.keys, reads, value)
    if point.quality is not None:  # where the mark stands, its curve ends
        measured[None] = CurvePoint(None, None, point.quality)
    budgets = sorted(measured, key=lambda keys: math.inf if keys is None else keys)
    n_tokens = point.n_tokens if point.n_tokens is not None else records[-1].n_tokens
    return replace(point, curve=tuple(measured[keys] for keys in budgets), n_tokens=n_tokens)


def _is_of(record: EvaluationRecord, point: FrontierPoint) -> bool:
    key, score = record.key, record.metrics.get(point.metric)
    same = task_of(key.task) == point.task and key.split == point.split
    return same and score is not None and point.rows in (None, score.n)


def _reading(record: EvaluationRecord, metric: str) -> Reading | None:
    score = record.metrics[metric]
    if not math.isfinite(score.value):
        return None
    has_interval = score.low <= score.value <= score.high
    return Reading(score.value, score.low, score.high) if has_interval else Reading(score.value)


def measured_points(
    entries: Iterable[CheckpointEntry], records: Iterable[EvaluationRecord], known: Iterable[FrontierPoint]
) -> tuple[FrontierPoint, ...]:
    """A point for each checkpoint and task that was measured with all keys and that is not among the known points."""
    stated = {(point.checkpoint, point.task, point.split) for point in known}
    digest, full = cache(digest_of), defaultdict[str, list[EvaluationRecord]](list)
    for record in records:
        if record.key.keys is None and record.key.share is None:
            full[record.checkpoint].append(record)
    found = [
        (entry, record)
        for entry in entries
        if entry.preflight is not None
        for record in full.get(entry.name, [])
        if (identity_of(entry)["checkpoint"], task_of(record.key.task), record.key.split) not in stated
        and record.key.digest == digest(entry.path)
    ]
    once = {(entry.path, record.key.task, record.key.split): (entry, record) for entry, record in found}
    return tuple(point for entry, record in once.values() if (point := _measured(entry, record)).quality is not None)


def _measured(entry: CheckpointEntry, record: EvaluationRecord) -> FrontierPoint:
    task, split = task_of(record.key.task), record.key.split
    is_smaller = bool(entry.preflight and entry.preflight.heads_kept is not None)
    known = {"parameters": float(record.parameters), "macs": record.macs, "share": None if is_smaller else 1.0}
    whose = identity_of(entry)
    return FrontierPoint(
        **{**whose, "key": f"{whose['key']}@{task}/{split}"},
        name=entry.name,
        family="smaller, from elsewhere" if is_smaller else DENSE,
        task=task,
        metric=record.metric,
        split=split,
        higher_is_better=record.higher_is_better and is_higher_better(record.metric),
        quality=_reading(record, record.metric),
        change=None if is_smaller else Reading(0.0),
        rows=record.score.n,
        costs=costs_of(known)[0],
        n_tokens=record.n_tokens,
        size=size_of(entry.path),
        source=f"measured: {entry.name} on {task}, {split}",
    )
