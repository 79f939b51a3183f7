"""The Frontier page as plain data: which point is where, which are on the front, and what is not shown and why."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from compecon.views.frontier.axes import AxisContext, asked_for, cost_title
from compecon.views.frontier.axes import axes_of as axes_of
from compecon.views.frontier.axes import tasks_of as tasks_of
from compecon.views.frontier.drawn import AxisChoice as AxisChoice
from compecon.views.frontier.drawn import BudgetCurve as BudgetCurve
from compecon.views.frontier.drawn import Family as Family
from compecon.views.frontier.drawn import FrontierAxes as FrontierAxes
from compecon.views.frontier.drawn import FrontierMark as FrontierMark
from compecon.views.frontier.drawn import FrontierView as FrontierView
from compecon.views.frontier.drawn import Quality as Quality
from compecon.views.frontier.drawn import Standing as Standing
from compecon.views.frontier.drawn import TaskChoice as TaskChoice
from compecon.views.frontier.fronts import Fronts, families_of
from compecon.views.frontier.names import points_of
from compecon.views.frontier.notes import notes_of
from compecon.views.frontier.plotted_points import PlottedPoint, placed
from compecon.views.frontier.points_of import FrontierPoint


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
    places = [place for _, place in found if isinstance(place, PlottedPoint)]
    reasons = tuple((point.name, reason) for point, reason in found if isinstance(reason, str) and reason)
    reference, told = _reference(places, asked, axes)
    fronts = Fronts(reference, asked.higher_is_better)
    families, front = families_of(places, fronts)
    budgets, curves = _curves(places, asked, axes)
    return FrontierView(
        axes=replace(axes, task=axes.task or asked.task),
        x_title=_x_title(asked, axes),
        y_title=_y_title(asked, axes),
        reference=reference,
        families=families,
        front=front,
        volume=fronts.volume(places),
        budgets=budgets,
        curves=curves,
        left_out=(*reasons, *left_out),
        notes=notes_of(places, asked, axes, (told, bool(curves), any("still running" in why for _, why in reasons))),
        higher_is_better=asked.higher_is_better,
        metric=asked.metric,
        split=asked.split,
    )


def _reference(
    places: Sequence[PlottedPoint], asked: AxisContext, axes: FrontierAxes
) -> tuple[tuple[float, float], str]:
    """The worst corner that still counts, and what it is."""
    shown = [place for place in places if place.is_measured]
    if not shown:
        return (0.0, 0.0), ""
    x = max(place.x.value for place in shown)
    floors = [point.floor for point in (place.point for place in shown) if point.floor is not None]
    if axes.y == "quality" and floors and all(place.point.split == asked.split for place in shown):
        return (x, floors[0]), "the metric of a constant answer"
    worst = min if asked.higher_is_better else max
    return (x, worst(place.y.value for place in shown)), "the worst shown"


def _curves(
    places: Sequence[PlottedPoint], asked: AxisContext, axes: FrontierAxes
) -> tuple[tuple[int | None, ...], tuple[BudgetCurve, ...]]:
    having = [place for place in places if place.is_measured and place.point.curve and place.point.split == asked.split]
    found = sorted({one.keys for place in having for one in place.point.curve if one.keys is not None})
    budgets: tuple[int | None, ...] = (*found, None) if having else ()
    return budgets, tuple(_curve(place, budgets, axes) for place in having)


def _curve(place: PlottedPoint, budgets: Sequence[int | None], axes: FrontierAxes) -> BudgetCurve:
    point = place.point
    by_keys = {one.keys: one for one in point.curve if math.isfinite(one.metric.value)}
    full = point.quality.value if point.quality is not None else place.y.value
    shift = place.y.value - full if axes.y == "change" else 0.0  # to the change, by the same parent's number
    known = [by_keys.get(keys) for keys in budgets]
    if axes.x == "reads":
        known = [None if one is None or one.reads is None else one for one in known]
        xs = tuple([None if one is None else one.reads for one in known])
    else:
        xs = tuple([None if one is None else place.x.value for one in known])
    ys = tuple([None if one is None else one.metric.value + shift for one in known])
    return BudgetCurve(point.key, point.family, xs, ys)


def _x_title(asked: AxisContext, axes: FrontierAxes) -> str:
    title, length = cost_title(axes.x), f" of {asked.n_tokens} tokens" if asked.n_tokens else ""
    kinds = {
        "macs": f"MACs of one text{length}, counted on compacted shapes",
        "share": "MACs of one text, share of the dense parent's, counted on compacted shapes",
        "reads": f"attention reads of one text{length}, over heads and queries (reads, not latency)",
        "parameters": "stored weights, embeddings included",
        "training_macs": "MACs of training after the dense parent, forward and backward, counted",
        "latency": f"{title}{f': {asked.device}' if asked.device else ''}",
    }
    return kinds.get(axes.x, title)


def _y_title(asked: AxisContext, axes: FrontierAxes) -> str:
    rows = f", {asked.rows:,} rows" if asked.rows else ""
    metric = asked.metric or "metric"
    direction = "" if asked.higher_is_better else ", lower is better"
    on = f"on {asked.split or 'no split'}{rows}{direction}"
    in_points = points_of(asked.metric) > 1
    if axes.y == "quality":
        return f"{metric}{' × 100' if in_points else ''} {on}"
    return f"{metric} minus the dense parent's{', points' if in_points else ''}, {on}"
