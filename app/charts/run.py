"""Courses of a run's numbers as Altair figures. Colours are the theme's; dashes tell lines apart without them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt
import pandas as pd

from compecon.views.run_curves import Curve, Series, StageMark

HEIGHT = 240
_FEW = 12  # points that are drawn as points


def curve_chart(curve: Curve, stages: Sequence[StageMark] = ()) -> alt.LayerChart | alt.FacetChart:
    """A quantity over the steps of all stages.

    Args:
        curve: The quantity.
        stages: Where stages begin; a dotted line for each but the first.
    """
    behind = [series for series in curve.series if series.is_raw and len(curve.series) > 1]
    before = [series for series in curve.series if series not in behind]
    names = [series.name for series in (*before, *behind)]  # the first colour is the strongest
    legend = alt.Legend(title=None, orient="bottom") if len(names) > 1 else None
    dashes = alt.StrokeDash("line:N", scale=alt.Scale(domain=names, range=_dashes(curve)), legend=legend)
    shared = {**_axes(curve), "color": alt.Color("line:N", scale=alt.Scale(domain=names), legend=legend)}
    parts = [
        *([alt.Chart(_table(behind)).mark_line(strokeWidth=1, opacity=0.7).encode(**shared)] if behind else []),
        alt.Chart(_table(before)).mark_line(strokeWidth=2, point=_is_sparse(curve)).encode(strokeDash=dashes, **shared),
        *_marks(stages),
    ]
    return alt.layer(*parts).properties(height=HEIGHT, title=curve.name)


def _axes(curve: Curve) -> dict[str, Any]:
    form = ".1%" if curve.is_share else ".4g"
    axis = alt.Axis(format="%" if curve.is_share else ".3~g", tickCount=5)
    return {
        "x": alt.X("step:Q", title=None, axis=alt.Axis(format=",d", tickMinStep=1, tickCount=6)),
        "y": alt.Y("value:Q", title=None, axis=axis, scale=alt.Scale(zero=curve.is_share)),
        "tooltip": ["line:N", "step:Q", alt.Tooltip("value:Q", format=form)],
    }


def _dashes(curve: Curve) -> list[list[int]]:
    solid, dashed = [1, 0], [5, 3]
    if any(series.is_raw for series in curve.series):
        return [solid for _ in curve.series]
    return [dashed if place % 2 else solid for place in range(len(curve.series))]


def _is_sparse(curve: Curve) -> bool:
    return max(len(series.points) for series in curve.series) <= _FEW


def _table(lines: Iterable[Series]) -> pd.DataFrame:
    rows = [(series.name, step, value) for series in lines for step, value in series.points]
    return pd.DataFrame(rows, columns=["line", "step", "value"])


def _marks(stages: Sequence[StageMark]) -> list[alt.Chart]:
    rows = [(stage.name, stage.after) for stage in stages if stage.after > 0]
    if not rows:
        return []
    table = pd.DataFrame(rows, columns=["stage", "step"])
    return [alt.Chart(table).mark_rule(strokeDash=[2, 3], opacity=0.6).encode(x="step:Q", tooltip="stage:N")]
