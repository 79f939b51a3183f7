"""Curves of a run's numbers as Vega-Lite figures. Colours are the theme's; dashes tell lines apart without them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compecon.views.runs.curves import Curve, StageMark

_HEIGHT = 240
_FEW = 12  # points that are drawn as points
_SOLID, _DASHED = [1, 0], [5, 3]


def curve_table(curve: Curve) -> dict[str, list[Any]]:
    """The columns that a figure is drawn from: line, step and value."""
    rows = [(series.name, step, value) for series in curve.series for step, value in series.points]
    return dict(zip(("line", "step", "value"), map(list, zip(*rows, strict=True)), strict=True))


def curve_figure(curve: Curve, stages: Sequence[StageMark] = ()) -> dict[str, Any]:
    """A quantity over the steps of all stages, as a Vega-Lite object without its data.

    A dotted line marks where each stage but the first begins.
    """
    behind = [series.name for series in curve.series if series.is_raw and len(curve.series) > 1]
    before = [series.name for series in curve.series if series.name not in behind]
    names = [*before, *behind]  # the first colour is the strongest
    line = {
        "field": "line",
        "type": "nominal",
        "legend": {"title": None, "orient": "bottom"} if len(names) > 1 else None,
    }
    shared = {**_axes(is_share=curve.is_share), "color": {**line, "scale": {"domain": names}}}
    patterns = [_DASHED if place % 2 and not behind else _SOLID for place in range(len(names))]
    dashes = {**line, "scale": {"domain": names, "range": patterns}}
    is_sparse = max(len(series.points) for series in curve.series) <= _FEW
    layers = [
        _layer(before, {"type": "line", "strokeWidth": 2, "point": is_sparse}, {**shared, "strokeDash": dashes}),
        *_stage_marks(stages),
    ]
    if behind:
        layers.insert(0, _layer(behind, {"type": "line", "strokeWidth": 1, "opacity": 0.7}, shared))
    return {"title": curve.name, "height": _HEIGHT, "layer": layers}


def _layer(names: Sequence[str], mark: dict[str, Any], encoding: dict[str, Any]) -> dict[str, Any]:
    return {"transform": [{"filter": {"field": "line", "oneOf": names}}], "mark": mark, "encoding": encoding}


def _axes(*, is_share: bool) -> dict[str, Any]:
    step, value = {"field": "step", "type": "quantitative"}, {"field": "value", "type": "quantitative"}
    axis = {"format": "%" if is_share else ".3~g", "tickCount": 5}
    return {
        "x": {**step, "title": None, "axis": {"format": ",d", "tickMinStep": 1, "tickCount": 6}},
        "y": {**value, "title": None, "axis": axis, "scale": {"zero": is_share}},
        "tooltip": [{"field": "line", "type": "nominal"}, step, {**value, "format": ".1%" if is_share else ".4g"}],
    }


def _stage_marks(stages: Sequence[StageMark]) -> list[dict[str, Any]]:
    starts = [{"stage": stage.name, "step": stage.after} for stage in stages if stage.after > 0]
    mark = {"type": "rule", "strokeDash": [2, 3], "opacity": 0.6}
    encoding = {"x": {"field": "step", "type": "quantitative"}, "tooltip": {"field": "stage", "type": "nominal"}}
    return [{"data": {"values": starts}, "mark": mark, "encoding": encoding}] if starts else []
