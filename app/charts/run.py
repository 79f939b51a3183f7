"""Courses of a run's numbers as Altair figures. Colours are the theme's; dashes tell lines apart without them."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from compecon.views.run_curves import Curve, Series, StageMark

HEIGHT = 210
_FEW = 12  # points that are drawn as points


def curve_chart(curve: Curve, stages: Sequence[StageMark] = ()) -> alt.LayerChart | alt.FacetChart:
    """A quantity over the steps of all stages.

    Args:
        curve: The quantity.
        stages: Where stages begin; a dotted line for each but the first.
    """
    names = [series.name for series in curve.series]
    axis = alt.Axis(format="%") if curve.is_share else alt.Axis(tickCount=5)
    legend = alt.Legend(title=None, orient="bottom") if len(names) > 1 else None
    base = alt.Chart(_table(curve.series)).encode(
        x=alt.X("step:Q", title="step", axis=alt.Axis(format=",d", tickMinStep=1, tickCount=6)),
        y=alt.Y("value:Q", title=None, axis=axis, scale=alt.Scale(zero=curve.is_share)),
        color=alt.Color("line:N", sort=names, legend=legend),
        tooltip=["line:N", "step:Q", alt.Tooltip("value:Q", format=".1%" if curve.is_share else ".4g")],
    )
    noisy = any(series.name.startswith("mean") for series in curve.series)
    dashes = alt.StrokeDash("line:N", sort=names, legend=legend)
    line = base.mark_line(point=_is_sparse(curve)).encode(
        **({"strokeWidth": _width(names), "opacity": _faint(names)} if noisy else {"strokeDash": dashes})
    )
    marks = alt.Chart(_marks(stages)).mark_rule(strokeDash=[2, 3], opacity=0.6).encode(x="after:Q", tooltip="stage:N")
    return alt.layer(line, marks).properties(height=HEIGHT, title=curve.name)


def _width(names: Sequence[str]) -> alt.StrokeWidth:
    scale = alt.Scale(domain=list(names), range=[1.0, 2.5])
    return alt.StrokeWidth("line:N", scale=scale, legend=None)


def _faint(names: Sequence[str]) -> alt.Opacity:
    return alt.Opacity("line:N", scale=alt.Scale(domain=list(names), range=[0.35, 1.0]), legend=None)


def _is_sparse(curve: Curve) -> bool:
    return max(len(series.points) for series in curve.series) <= _FEW


def _table(lines: Sequence[Series]) -> pd.DataFrame:
    rows = [(series.name, step, value) for series in lines for step, value in series.points]
    return pd.DataFrame(rows, columns=["line", "step", "value"])


def _marks(stages: Sequence[StageMark]) -> pd.DataFrame:
    rows = [(stage.name, stage.after) for stage in stages if stage.after > 0]
    return pd.DataFrame(rows, columns=["stage", "after"])
