"""Points of runs: what came of those that are done, and how far those have come that go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from compecon.runs.history import History
from compecon.runs.run_record import RunRecord, RunState
from compecon.views.checked_values import flag, number, text
from compecon.views.frontier.card_points import told_elsewhere
from compecon.views.frontier.checked_numbers import (
    Costs,
    one_line,
    part,
    percent,
    positive,
    ratio,
    reading,
    whole,
    words,
)
from compecon.views.frontier.names import DENSE, family_of, is_higher_better, task_of
from compecon.views.frontier.points_of import CollectedPoints, FrontierPoint, Reading, State, each
from compecon.views.frontier.shapes import attention_reads, size_of
from compecon.views.runs.run_rows import reason_of, sign_of

MAKES_CHECKPOINTS = ("train", "prune")
_BEGUN = (RunState.STARTING, RunState.RUNNING, RunState.STOPPING)


def run_points(records: Iterable[RunRecord], histories: Mapping[str, History] | None = None) -> CollectedPoints:
    """A point for each training and pruning that has a number to show.

    Args:
        records: The runs.
        histories: By a run's name, the metrics of those that are not done; without one, such a run has no number yet.
    """
    known = histories or {}
    told, broken = each(
        (record for record in records if record.spec.recipe in MAKES_CHECKPOINTS),
        lambda record: _point_or_reason(record, known.get(record.run_id)),
        lambda record: one_line(record.title),
    )
    points = tuple(one for one in told if isinstance(one, FrontierPoint))
    return CollectedPoints(points, (*(one for one in told if not isinstance(one, FrontierPoint)), *broken))


def _point_or_reason(record: RunRecord, history: History | None) -> FrontierPoint | tuple[str, str]:
    point = _done(record) if record.state is RunState.SUCCEEDED else _underway(record, history)
    return (one_line(record.title), _why(record)) if point.quality is None else point


def _why(record: RunRecord) -> str:
    word = sign_of(record)[1]
    if record.state is RunState.SUCCEEDED:
        return "it succeeded, but its results contain no metric"
    reason = one_line(reason_of(record))
    return f"{word}, and it has not been measured yet{f': {reason}' if reason else ''}"


def _base(record: RunRecord, metric: str, split: str, state: State) -> FrontierPoint:
    """What is known of a run from what was asked for."""
    params: Mapping[str, Any] = record.spec.params
    parent = words(params, "base") or words(params, "checkpoint")
    family = _family(record)
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
        seed=whole(params, "seed"),
        target=part(params, "target"),
        run_id=record.run_id,
        source=f"run {record.run_id}",
        facts=_facts(record, family, parent),
        parent=parent.rpartition("/")[2],
    )


def _family(record: RunRecord) -> str:
    params = record.spec.params
    if record.spec.recipe == "prune":
        return family_of(text(params, "method") or "fisher", recovered=(number(params, "recover_epochs") or 0) > 0)
    if number(params, "target") is None and number(params, "price") is None:
        return DENSE
    return family_of("incentive", settings={"incentive": {name: params.get(name) for name in ("target", "units")}})


def _facts(record: RunRecord, family: str, parent: str) -> tuple[tuple[str, str], ...]:
    facts = (
        ("state", sign_of(record)[1]),
        ("made by", family),
        ("made from", parent),
        ("heads and neurons that remain", percent(record.status.results, "share")),
        ("reason", "" if record.state is RunState.SUCCEEDED else one_line(record.reason)),
        ("sweep", one_line(record.spec.sweep)),
    )
    return tuple((name, value) for name, value in facts if value)


def _done(record: RunRecord) -> FrontierPoint:
    results: Mapping[str, Any] = record.status.results
    point = _base(record, words(results, "metric", "name"), words(results, "metric", "split"), "done")
    quality, n_tokens = reading(results, "metric"), whole(results, "n_tokens")
    higher = flag(results, "metric", "higher_is_better")
    costs, device = _costs(results)
    is_dense = point.family == DENSE
    found = replace(
        point,
        higher_is_better=point.higher_is_better if higher is None else higher,
        quality=quality,
        change=reading(results, "difference") or (Reading(0.0) if is_dense else None),
        costs=costs.known,
        n_tokens=n_tokens,
        device=device,
        price=number(results, "price"),
        target=part(results, "target"),
        met=flag(results, "met"),
        rows=whole(results, "metric", "n"),
        left=part(results, "share"),
    )
    return _with_checkpoint(found, record)


def _costs(results: Mapping[str, Any]) -> tuple[Costs, str]:
    costs, macs = Costs(), positive(results, "macs")
    costs.add("macs", macs)
    costs.add("share", ratio(macs, positive(results, "parent_macs")))
    return costs, costs.add_latency(results.get("latency"))


def _with_checkpoint(point: FrontierPoint, record: RunRecord) -> FrontierPoint:
    """What the checkpoint's files add, if there is one still."""
    folder = record.checkpoint
    size = None if folder is None else size_of(folder)
    if folder is None or size is None:
        return point
    costs = {**point.costs, "parameters": Reading(float(size.parameters))}
    if point.n_tokens:
        costs["reads"] = Reading(float(attention_reads(size.heads, point.n_tokens, is_causal=size.is_causal)))
    elsewhere = told_elsewhere(folder, point.metric, point.split)
    return replace(
        point, checkpoint=str(folder), heads=size.heads, neurons=size.neurons, costs=costs, elsewhere=elsewhere
    )


def _underway(record: RunRecord, history: History | None) -> FrontierPoint:
    """As far as a run has come: the last quality that was measured, and the share its gates would leave now."""
    state: State = "running" if record.state in _BEGUN else "failed"
    events = () if history is None else tuple(history.events)
    found: Mapping[str, Any] = next(
        (one for one in reversed(events) if one.get("event") == "quality" and _value(one) is not None), {}
    )
    point = _base(record, words(found, "metric"), words(found, "split"), state)
    value = _value(found)
    if history is None or value is None:
        return point
    left = _last(history, "share")
    costs = Costs()
    costs.add("share", left if left is not None and 0 < left <= 1 else None)
    return replace(
        point,
        quality=Reading(value),
        costs=costs.known,
        price=_last(history, "price"),
        left=left,
        source=f"{point.source}, estimated from its gates during training",
    )


def _value(event: Mapping[str, Any]) -> float | None:
    return number(event, "value")


def _last(history: History, name: str) -> float | None:
    """The latest number of that name in a run's steps, if any of its last steps has one."""
    last = chain.from_iterable(reversed(steps[-8:]) for steps in reversed(list(history.steps.values())))
    return next((found for step in last if (found := number(step, name)) is not None), None)
