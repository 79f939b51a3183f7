"""Stored measurements on the frontier: quality at each key budget, and at all keys where no card tells of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from compecon.checkpoints.catalog import CheckpointEntry
from compecon.checkpoints.locate import bundled_root
from compecon.evaluation.evaluation_records import EvaluationRecord
from compecon.views.frontier.names import DENSE, is_higher_better, task_of
from compecon.views.frontier.points_of import CurvePoint, FrontierPoint, Reading
from compecon.views.frontier.shapes import attention_reads, digest_of, size_of

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
    by_name: dict[str, list[EvaluationRecord]] = {}
    for record in records:
        if record.key.share is None and record.key.policy in _POLICIES:
            by_name.setdefault(record.checkpoint, []).append(record)
    return tuple(_with_curve(point, by_name, folders) for point in points)


def _with_curve(
    point: FrontierPoint, by_name: Mapping[str, list[EvaluationRecord]], folders: Mapping[str, Path]
) -> FrontierPoint:
    folder = folders.get(point.checkpoint)
    named = by_name.get(folder.name, []) if folder is not None else []
    same = [one for one in named if _is_of(one, point)]
    if folder is not None and same:
        digest = digest_of(folder, _trusted(folder))
        same = [one for one in same if one.key.digest == digest]
        if same:
            point = _told(point, same)
    size = None if folder is None else size_of(folder, _trusted(folder))
    return _with_reads(point, is_causal=size.is_causal if size else False)


def _is_of(record: EvaluationRecord, point: FrontierPoint) -> bool:
    key, score = record.key, record.metrics.get(point.metric)
    same = task_of(key.task) == point.task and key.split == point.split
    return same and score is not None and point.rows in (None, score.n)


def _told(point: FrontierPoint, records: list[EvaluationRecord]) -> FrontierPoint:
    measured = {curve.keys: curve for curve in point.curve}
    for record in sorted(records, key=lambda one: one.measured_at):
        value = _reading(record, point.metric)
        if value is not None:
            reads = None if record.reads is None or record.n_tokens != point.n_tokens else float(record.reads)
            measured[record.key.keys] = CurvePoint(record.key.keys, reads, value)
    if point.quality is not None:  # where the mark stands, its curve ends
        measured[None] = CurvePoint(None, None, point.quality)
    budgets = sorted(keys for keys in measured if keys is not None)
    last = (measured[None],) if None in measured else ()
    n_tokens = point.n_tokens if point.n_tokens is not None else records[-1].n_tokens
    return replace(point, curve=(*(measured[keys] for keys in budgets), *last), n_tokens=n_tokens)


def _reading(record: EvaluationRecord, metric: str) -> Reading | None:
    score = record.metrics[metric]
    if not math.isfinite(score.value):
        return None
    if not score.low <= score.value <= score.high:
        return Reading(score.value)
    return Reading(score.value, score.low, score.high)


def _with_reads(point: FrontierPoint, *, is_causal: bool) -> FrontierPoint:
    """Reads of each budget, at the length that the point's other costs are counted at."""
    heads, n_tokens = point.heads, point.n_tokens
    if not point.curve or not heads or not n_tokens:
        return point
    curve = tuple(
        replace(one, reads=float(attention_reads(heads, n_tokens, one.keys, is_causal=is_causal)))
        for one in point.curve
    )
    return replace(point, curve=curve)


def measured_points(
    entries: Iterable[CheckpointEntry], records: Iterable[EvaluationRecord], known: Iterable[FrontierPoint]
) -> tuple[FrontierPoint, ...]:
    """A point for each checkpoint and task that was measured with all keys and that no card tells of.

    Args:
        entries: The checkpoints.
        records: The measurements.
        known: Points there are already.
    """
    told = {(point.checkpoint, point.task, point.split) for point in known}
    full: dict[str, list[EvaluationRecord]] = {}
    for record in records:
        if record.key.keys is None and record.key.share is None:
            full.setdefault(record.checkpoint, []).append(record)
    found = [
        (entry, record)
        for entry in entries
        if entry.preflight is not None
        for record in full.get(entry.name, [])
        if (_opened_by(entry), task_of(record.key.task), record.key.split) not in told
        and record.key.digest == digest_of(entry.path, _trusted(entry.path))
    ]
    once = {(entry.path, record.key.task, record.key.split): (entry, record) for entry, record in found}
    return tuple(point for entry, record in once.values() if (point := _measured(entry, record)).quality is not None)


def _measured(entry: CheckpointEntry, record: EvaluationRecord) -> FrontierPoint:
    size, task = size_of(entry.path, _trusted(entry.path)), task_of(record.key.task)
    is_bundled = entry.origin == "bundled"
    heads = size.heads if size else ()
    is_smaller = bool(entry.preflight and entry.preflight.heads_kept is not None)
    costs = {"parameters": Reading(float(record.parameters))}
    if record.macs:
        costs["macs"] = Reading(float(record.macs))
    if heads and record.n_tokens:
        reads = attention_reads(heads, record.n_tokens, is_causal=bool(size and size.is_causal))
        costs["reads"] = Reading(float(reads))
    where = f"bundled/{entry.name}" if is_bundled else f"local/{entry.path}"
    return FrontierPoint(
        key=f"{where}@{task}/{record.key.split}",
        name=entry.name,
        family="smaller, from elsewhere" if is_smaller else DENSE,
        origin="bundled" if is_bundled else "local",
        task=task,
        metric=record.metric,
        split=record.key.split,
        higher_is_better=record.higher_is_better and is_higher_better(record.metric),
        quality=_reading(record, record.metric),
        change=None if is_smaller else Reading(0.0),
        costs=costs if is_smaller else {**costs, "share": Reading(1.0)},
        n_tokens=record.n_tokens,
        heads=heads,
        neurons=size.neurons if size else (),
        checkpoint=_opened_by(entry),
        source=f"measured: {entry.name} on {task}, {record.key.split}",
        rows=record.score.n,
    )


def _opened_by(entry: CheckpointEntry) -> str:
    return entry.name if entry.origin == "bundled" else str(entry.path)


def _trusted(folder: Path) -> Path | None:
    return bundled_root() if folder.parent == bundled_root() else None
