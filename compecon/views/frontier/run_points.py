"""Points of runs: the results of those that are done, and how far the others have come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from compecon.runs.history import History
from compecon.runs.run_record import RunRecord, RunState
from compecon.views.checked_values import flag, number, text
from compecon.views.frontier.card_points import other_splits
from compecon.views.frontier.checked_numbers import (
    costs_of,
    one_line,
    part,
    percent,
    positive,
    ratio,
    reading,
    whole,
    words,
)
from compecon.views.frontier.frontier_points import CollectedPoints, FrontierPoint, Reading, State, Training, each
from compecon.views.frontier.names import DENSE, family_of, is_higher_better, task_of
from compecon.views.frontier.shapes import UNKNOWN, size_of
from compecon.views.frontier.size_points import with_sizes
from compecon.views.runs.run_rows import reason_of, sign_of

_MAKES_CHECKPOINTS = ("train", "prune")
_BEGUN = (RunState.STARTING, RunState.RUNNING, RunState.STOPPING)


def run_points(records: Iterable[RunRecord], histories: Mapping[str, History] | None = None) -> CollectedPoints:
    """A point for each training and pruning that has a number to show.

    Args:
        records: The runs.
        histories: By a run's name, the metrics of those that are not done; without one, such a run has no number yet.
    """
    known = histories or {}
    made, broken = each(
        (record for record in records if record.spec.recipe in _MAKES_CHECKPOINTS),
        lambda record: _points_or_reason(record, known.get(record.run_id)),
        lambda record: one_line(record.title),
    )
    found = [one for one in made if isinstance(one, CollectedPoints)]
    points = tuple(point for one in found for point in one.points)
    reasons = [reason for one in found for reason in one.left_out]
    mute = [one for one in made if not isinstance(one, CollectedPoints)]
    return CollectedPoints(points, (*reasons, *mute, *broken))


def _points_or_reason(record: RunRecord, history: History | None) -> CollectedPoints | tuple[str, str]:
    point = _done(record) if record.state is RunState.SUCCEEDED else _underway(record, history)
    if point.quality is not None and point.state == "done" and record.spec.params.get("elastic"):
        results: Mapping[str, Any] = record.status.results
        return with_sizes(point, results.get("sizes"), positive(results, "parent_macs"))
    if point.quality is not None:
        return CollectedPoints((point,))
    if record.state is RunState.SUCCEEDED:
        return one_line(record.title), "it succeeded, but its results contain no metric"
    reason = one_line(reason_of(record))
    why = f"{sign_of(record)[1]}, and it has not been measured yet{f': {reason}' if reason else ''}"
    return one_line(record.title), why


def _base(record: RunRecord, metric: str, split: str, state: State) -> FrontierPoint:
    """What the settings of a run say of it."""
    params: Mapping[str, Any] = record.spec.params
    parent, family = words(params, "base") or words(params, "checkpoint"), _family(record)
    return FrontierPoint(
        key=f"run/{record.run_id}",
        name=one_line(record.title),
        family=family,
        origin="run",
        task=task_of(words(params, "task")) or "unknown",
        metric=metric,
        split=split,
        state=state,
        higher_is_better=is_higher_better(metric),
        training=Training(parent.rpartition("/")[2], whole(params, "seed"), target=part(params, "target")),
        source=f"run {record.run_id}",
        facts=(
            ("state", sign_of(record)[1]),
            ("made by", family),
            ("made from", parent),
            ("heads and neurons that remain", percent(record.status.results, "share")),
            ("reason", "" if record.state is RunState.SUCCEEDED else one_line(record.reason)),
            ("sweep", one_line(record.spec.sweep)),
        ),
    )


def _family(record: RunRecord) -> str:
    params = record.spec.params
    if record.spec.recipe == "prune":
        return family_of(text(params, "method") or "fisher", recovered=(number(params, "recover_epochs") or 0) > 0)
    if params.get("elastic"):
        return family_of("elastic")
    if number(params, "target") is None and number(params, "price") is None:
        return DENSE
    return family_of("incentive", settings={"incentive": {name: params.get(name) for name in ("target", "units")}})


def _done(record: RunRecord) -> FrontierPoint:
    results: Mapping[str, Any] = record.status.results
    point = _base(record, words(results, "metric", "name"), words(results, "metric", "split"), "done")
    higher, macs = flag(results, "metric", "higher_is_better"), positive(results, "macs")
    share = ratio(macs, positive(results, "parent_macs"))
    costs, device = costs_of({"macs": macs, "share": share}, [results.get("latency")])
    folder = record.checkpoint
    size = UNKNOWN if folder is None else size_of(folder)
    is_there = folder is not None and size is not UNKNOWN
    return replace(
        point,
        higher_is_better=point.higher_is_better if higher is None else higher,
        quality=reading(results, "metric"),
        change=reading(results, "difference") or (Reading(0.0) if point.family == DENSE else None),
        rows=whole(results, "metric", "n"),
        elsewhere=other_splits(folder, point.metric, point.split) if folder is not None and is_there else (),
        costs=costs,
        n_tokens=whole(results, "n_tokens"),
        device=device,
        size=size,
        training=replace(
            point.training,
            price=number(results, "price"),
            target=part(results, "target"),
            met=flag(results, "met"),
            left=part(results, "share"),
        ),
        checkpoint=str(folder) if is_there else "",
    )


def _underway(record: RunRecord, history: History | None) -> FrontierPoint:
    """How far a run has come: the last quality that was measured, and the share its gates would leave now."""
    events: list[dict[str, Any]] = [] if history is None else list(history.events)
    measured = (one for one in reversed(events) if one.get("event") == "quality" and number(one, "value") is not None)
    found: Mapping[str, Any] = next(measured, {})
    state: State = "running" if record.state in _BEGUN else "failed"
    point = _base(record, words(found, "metric"), words(found, "split"), state)
    value = number(found, "value")
    if history is None or value is None:
        return point
    left = _last(history, "share")
    return replace(
        point,
        quality=Reading(value),
        costs=costs_of({"share": left if left is not None and 0 < left <= 1 else None})[0],
        training=replace(point.training, price=_last(history, "price"), left=left),
        source=f"{point.source}, estimated from its gates during training",
    )


def _last(history: History, name: str) -> float | None:
    """The latest number of that name in a run's steps, if any of its last steps has one."""
    last = chain.from_iterable(reversed(steps[-8:]) for steps in reversed(list(history.steps.values())))
    return next((found for step in last if (found := number(step, name)) is not None), None)
