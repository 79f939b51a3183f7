"""Where a point stands on given axes, or why it does not."""

from __future__ import annotations

import math

from compecon.views.frontier.axes import AxisContext, at, cost_title, readings
from compecon.views.frontier.drawn import FrontierAxes, FrontierMark
from compecon.views.frontier.frontier_points import FrontierPoint, OtherSplit, Reading


def placed(point: FrontierPoint, asked: AxisContext, axes: FrontierAxes) -> FrontierMark | str:
    """A point as a mark, or the reason why it is none; "" if it does not belong on these axes."""
    if point.origin == "quoted":
        return _quoted(point, asked, axes)
    if point.task != asked.task:
        return ""
    here = at(point, asked.split)
    if here is None:
        return _elsewhere(point, asked)
    if point.metric != asked.metric:
        return f"its metric is {point.metric or 'not named'}, that of the others {asked.metric}"
    if here.rows is not None and asked.rows is not None and here.rows != asked.rows:
        return f"it was measured on {here.rows:,} rows, the others on {asked.rows:,}"
    x = _cost(point, asked, axes)
    return x if isinstance(x, str) else _on(point, here, x, axes)


def _on(point: FrontierPoint, here: OtherSplit, x: Reading, axes: FrontierAxes) -> FrontierMark | str:
    y = here.quality if axes.y == "quality" else here.change
    if y is None:
        return "its dense parent was not measured on the same rows"
    if not math.isfinite(y.value):
        return f"its {point.metric} is not finite"
    y = _checked(y)
    return FrontierMark(point, x, y, judged=y if y.ends else _shifted(_checked(here.quality), y))


def _shifted(quality: Reading, change: Reading) -> Reading:
    """A change with the interval of its metric: the parent's number taken as it is."""
    if quality.ends is None:
        return change
    low, high = (end + change.value - quality.value for end in quality.ends)
    return _checked(Reading(change.value, min(change.value, low), max(change.value, high)))


def _quoted(point: FrontierPoint, asked: AxisContext, axes: FrontierAxes) -> FrontierMark | str:
    """Others' points: their change beside any task's, their metric beside the same one alone."""
    is_same = point.task == asked.task
    y = point.quality if axes.y == "quality" else point.change
    if axes.y == "quality" and not (is_same and point.metric == asked.metric):
        return ""
    if y is None or axes.x not in point.costs or not asked.higher_is_better:
        return f"quoted; the source gives no {'change' if y is None else cost_title(axes.x)}" if is_same else ""
    x = point.costs[axes.x]
    is_finite = math.isfinite(x.value) and math.isfinite(y.value)
    return FrontierMark(point, x, y, judged=y) if is_finite else "its numbers are not finite"


def _elsewhere(point: FrontierPoint, asked: AxisContext) -> str:
    splits = " and ".join(dict.fromkeys(here.split or "an unnamed split" for here in readings(point)))
    if not splits:
        return "it has not been measured"
    if point.state == "running":
        return f"still running, and measured on {splits} so far: choose {asked.task}@{splits} to watch it"
    return f"it was measured on {splits}, not on {asked.split or 'this split'}"


def _cost(point: FrontierPoint, asked: AxisContext, axes: FrontierAxes) -> Reading | str:
    x = point.costs.get(axes.x)
    if x is None:
        return f"its cost ({cost_title(axes.x)}) is unknown"
    if not math.isfinite(x.value) or x.value < 0:
        return f"its cost ({cost_title(axes.x)}) is not a number"
    if axes.is_log and x.value == 0:
        return "its cost is 0, which a logarithmic axis cannot show"
    if asked.n_tokens is not None and point.n_tokens not in (None, asked.n_tokens):
        return f"its cost is for a text of {point.n_tokens} tokens, that of the others for {asked.n_tokens}"
    if axes.x == "latency" and point.device not in ("", asked.device):
        return f"its time was measured on {point.device}, that of the others on {asked.device}"
    return _checked(x)


def _checked(reading: Reading) -> Reading:
    """A reading whose interval holds it, or has none."""
    low, high = reading.ends or (math.nan, math.nan)
    return reading if low <= reading.value <= high and math.isfinite(high - low) else Reading(reading.value)
