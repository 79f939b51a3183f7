"""Courses of a run's numbers as Vega-Lite figures. Colours are the theme's; dashes tell lines apart without them.

A figure is drawn anew each second while a run goes on. Altair takes longer to check one than everything else on the
page together, so it is built once for each shape and drawn from then on with other numbers.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import pandas as pd

from compecon.views.runs.curves import Curve, StageMark

HEIGHT = 240
_FEW = 12  # points that are drawn as points
_STARTS = "starts"
_SOLID, _DASHED = [1, 0], [5, 3]


def curve_table(curve: Curve) -> pd.DataFrame:
    """What a figure is drawn from: line, step and value."""
    rows = [(series.name, step, value) for series in curve.series for step, value in series.points]
    return pd.DataFrame(rows, columns=["line", "step", "value"])


def curve_figure(curve: Curve, stages: Sequence[StageMark] = ()) -> dict[str, Any]:
    """The figure of a quantity over the steps of all stages, as a Vega-Lite object without its data.

    Args:
        curve: The quantity.
        stages: Where stages begin; a dotted line for each but the first.
    """
    behind = tuple(series.name for series in curve.series if series.is_raw and len(curve.series) > 1)
    before = tuple(series.name for series in curve.series if series.name not in behind)
    is_sparse = max(len(series.points) for series in curve.series) <= _FEW
    starts = tuple((stage.name, stage.after) for stage in stages if stage.after > 0)
    return copy.deepcopy(_figure(curve.name, (before, behind), starts, is_share=curve.is_share, is_sparse=is_sparse))


@lru_cache(maxsize=256)
def _figure(
    title: str,
    lines: tuple[tuple[str, ...], tuple[str, ...]],
    starts: tuple[tuple[str, int], ...],
    *,
    is_share: bool,
    is_sparse: bool,
) -> dict[str, Any]:
    before, behind = lines
    names = [*before, *behind]  # the first colour is the strongest
    legend = alt.Legend(title=None, orient="bottom") if len(names) > 1 else None
    patterns = [_DASHED if place % 2 and not behind else _SOLID for place in range(len(names))]
    shared = {**_axes(is_share=is_share), "color": alt.Color("line:N", scale=alt.Scale(domain=names), legend=legend)}
    dashes = alt.StrokeDash("line:N", scale=alt.Scale(domain=names, range=patterns), legend=legend)
    base = alt.Chart(alt.NamedData(name="curve"))
    parts = [
        *([_only(base, behind).mark_line(strokeWidth=1, opacity=0.7).encode(**shared)] if behind else []),
        _only(base, before).mark_line(strokeWidth=2, point=is_sparse).encode(strokeDash=dashes, **shared),
        *([_marks()] if starts else []),
    ]
    figure: dict[str, Any] = alt.layer(*parts).properties(height=HEIGHT, title=title).to_dict()
    values = [{"stage": name, "step": after} for name, after in starts]
    for part in (figure, *figure["layer"]):
        if part.get("data") == {"name": _STARTS}:
            part["data"] = {"values": values}
        else:
            part.pop("data", None)  # whoever draws it brings its own
    return figure


def _only(base: alt.Chart, names: Sequence[str]) -> alt.Chart:
    return base.transform_filter(alt.FieldOneOfPredicate("line", list(names)))


def _axes(*, is_share: bool) -> dict[str, Any]:
    axis = alt.Axis(format="%" if is_share else ".3~g", tickCount=5)
    return {
        "x": alt.X("step:Q", title=None, axis=alt.Axis(format=",d", tickMinStep=1, tickCount=6)),
        "y": alt.Y("value:Q", title=None, axis=axis, scale=alt.Scale(zero=is_share)),
        "tooltip": ["line:N", "step:Q", alt.Tooltip("value:Q", format=".1%" if is_share else ".4g")],
    }


def _marks() -> alt.Chart:
    rule = alt.Chart(alt.NamedData(name=_STARTS)).mark_rule(strokeDash=[2, 3], opacity=0.6)
    marks: alt.Chart = rule.encode(x="step:Q", tooltip="stage:N")
    return marks
