"""Quality against the MACs that are left, an arm a curve, as a Plotly figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from compecon.views.error_bars import error_bars

# Okabe and Ito's colours, distinguishable with all kinds of colour vision; ours first.
_COLOURS = {
    "incentive": "#0072B2",
    "taylor": "#E69F00",
    "fisher": "#009E73",
    "magnitude": "#CC79A7",
    "uniform": "#56B4E9",
    "random": "#999999",
}
_OTHER = "#D55E00"
_SCALE = 100


def report_figure(report: Mapping[str, Any]) -> go.Figure:
    """Test metric by share of the MACs of heads and neurons, of each arm after recovery.

    Args:
        report: A report of `compecon experiment frontier`, as read from its JSON.

    Returns:
        Points are means over seeds; bars are the paired 95% interval of the change against dense, around the mean of
        the dense models. Arms without recovery are dotted and hidden at first.
    """
    arms: Sequence[Mapping[str, Any]] = report["arms"]
    dense = next(arm for arm in arms if arm["arm"] == "dense")
    figure = go.Figure()
    for recovered in (True, False):
        for name in dict.fromkeys(arm["arm"] for arm in arms if arm["target"] is not None):
            points = sorted(
                (arm for arm in arms if arm["arm"] == name and arm["recovered"] is recovered and arm["target"]),
                key=lambda arm: arm["share"],
            )
            if points:
                figure.add_trace(_curve(name, points, _mean(dense), recovered=recovered))
    figure.add_hline(
        y=_SCALE * _mean(dense), line_dash="dash", line_color="#666", annotation_text="dense", annotation_font_size=12
    )
    figure.update_layout(
        template="plotly_white",
        title=f"{report['task']}: {report['metric']} (×100, test) against MACs left, same training for every arm",
        xaxis={"title": "share of the MACs of heads and neurons, counted on compacted shapes", "tickformat": ".0%"},
        yaxis={"title": f"{report['metric']} × 100"},
        legend={"title": "arm"},
    )
    return figure


def _curve(name: str, points: Sequence[Mapping[str, Any]], dense: float, *, recovered: bool) -> go.Scatter:
    values = [_SCALE * _mean(point) for point in points]
    low, high = ([_SCALE * (dense + point["change"][end]) for point in points] for end in ("low", "high"))
    return go.Scatter(
        x=[point["share"] for point in points],
        y=values,
        error_y=error_bars(values, low, high),
        name=name if recovered else f"{name}, no recovery",
        mode="lines+markers",
        line={"color": _COLOURS.get(name, _OTHER), "dash": "solid" if recovered else "dot"},
        visible=True if recovered else "legendonly",
        customdata=[[len(point["seeds"]), point["training_macs"] / 1e12] for point in points],
        hovertemplate="%{y:.2f} at %{x:.1%} of the MACs<br>%{customdata[0]} seed(s), "
        "training %{customdata[1]:.1f}·10¹² MACs<extra>%{fullData.name}</extra>",
    )


def _mean(arm: Mapping[str, Any]) -> float:
    values: Sequence[float] = arm["test"]
    return sum(values) / len(values)
