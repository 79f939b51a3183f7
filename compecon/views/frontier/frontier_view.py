"""The Frontier page as plain data: which point is where, which are on the front, and what is not shown and why."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from compecon.views.frontier.axes import AxisContext, asked_for, cost_title
from compecon.views.frontier.drawn import BudgetCurve, FrontierAxes, FrontierMark, FrontierView
from compecon.views.frontier.frontier_points import FrontierPoint
from compecon.views.frontier.fronts import Fronts, families_of
from compecon.views.frontier.names import scale_of
from compecon.views.frontier.notes import notes_of
from compecon.views.frontier.placing import placed


def frontier_view(
    points: Iterable[FrontierPoint], axes: FrontierAxes, left_out: Sequence[tuple[str, str]] = ()
) -> FrontierView:
    """Points of one task on two axes.

    Points of other tasks are passed over; those of this one that have no place are listed with the reason. A view
    without any point is empty, and its notes say what to do.

    Args:
        points: All points there are.
        axes: What to draw against what.
        left_out: Name and reason of what could not become a point, to be listed too.

    Raises:
        CompeconError: If no task is named and the points are of several, or there is no such cost.
    """
    known = tuple(points)
    asked = asked_for(known, axes)
    found = [(point, placed(point, asked, axes)) for point in known]
    marks = [mark for _, mark in found if isinstance(mark, FrontierMark)]
    reasons = tuple((point.name, reason) for point, reason in found if isinstance(reason, str) and reason)
    reference, floor = _reference(marks, asked, axes)
    fronts = Fronts(reference, asked.higher_is_better)
    budgets, curves = _curves(marks, asked, axes)
    return FrontierView(
        axes=replace(axes, task=axes.task or asked.task),
        x_title=_x_title(asked, axes),
        y_title=_y_title(asked, axes),
        reference=reference,
        families=families_of(marks, fronts),
        front=fronts.front(marks),
        volume=fronts.volume(marks),
        budgets=budgets,
        curves=curves,
        left_out=(*reasons, *left_out),
        notes=notes_of(marks, asked, axes, (floor, bool(curves), any("still running" in why for _, why in reasons))),
        higher_is_better=asked.higher_is_better,
        metric=asked.metric,
        split=asked.split,
    )


def _reference(
    marks: Sequence[FrontierMark], asked: AxisContext, axes: FrontierAxes
) -> tuple[tuple[float, float], str]:
    """The worst corner that still counts, and what it is."""
    shown = [mark for mark in marks if mark.is_measured]
    if not shown:
        return (0.0, 0.0), ""
    x = max(mark.x.value for mark in shown)
    floors = [mark.point.floor for mark in shown if mark.point.floor is not None]
    if axes.y == "quality" and floors and all(mark.point.split == asked.split for mark in shown):
        return (x, floors[0]), "the metric of a constant answer"
    worst = min if asked.higher_is_better else max
    return (x, worst(mark.y.value for mark in shown)), "the worst shown"


def _curves(
    marks: Sequence[FrontierMark], asked: AxisContext, axes: FrontierAxes
) -> tuple[tuple[int | None, ...], tuple[BudgetCurve, ...]]:
    having = [mark for mark in marks if mark.is_measured and mark.point.curve and mark.point.split == asked.split]
    found = sorted({one.keys for mark in having for one in mark.point.curve if one.keys is not None})
    budgets: tuple[int | None, ...] = (*found, None) if having else ()
    return budgets, tuple(_curve(mark, budgets, axes) for mark in having)


def _curve(mark: FrontierMark, budgets: Sequence[int | None], axes: FrontierAxes) -> BudgetCurve:
    point = mark.point
    full = point.quality.value if point.quality is not None else mark.y.value
    shift = mark.y.value - full if axes.y == "change" else 0.0  # to the change, by the same parent's number
    is_reads = axes.x == "reads"
    places = {
        one.keys: (one.reads if is_reads else mark.x.value, one.metric.value + shift)
        for one in point.curve
        if math.isfinite(one.metric.value) and not (is_reads and one.reads is None)
    }
    xs, ys = zip(*(places.get(keys, (None, None)) for keys in budgets), strict=True)
    return BudgetCurve(point.key, point.family, xs, ys)


def _x_title(asked: AxisContext, axes: FrontierAxes) -> str:
    title, length = cost_title(axes.x), f" of {asked.n_tokens} tokens" if asked.n_tokens else ""
    titles = {
        "macs": f"{title}{length}, counted on compacted shapes",
        "share": "MACs of one text, share of the dense parent's, counted on compacted shapes",
        "reads": f"{title}{length}, over heads and queries (reads, not latency)",
        "parameters": "stored weights, embeddings included",
        "training_macs": f"{title}, forward and backward, counted",
        "latency": f"{title}{f': {asked.device}' if asked.device else ''}",
    }
    return titles.get(axes.x, title)


def _y_title(asked: AxisContext, axes: FrontierAxes) -> str:
    rows = f", {asked.rows:,} rows" if asked.rows else ""
    direction = "" if asked.higher_is_better else ", lower is better"
    on = f"on {asked.split or 'no split'}{rows}{direction}"
    in_points, metric = scale_of(asked.metric) > 1, asked.metric or "metric"
    if axes.y == "quality":
        return f"{metric}{' × 100' if in_points else ''} {on}"
    return f"{metric} minus the dense parent's{', points' if in_points else ''}, {on}"
