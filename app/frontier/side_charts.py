"""Figures beside the frontier: what paying heads, neurons or both keeps, and what a price buys."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from app.frontier.plot_style import COLOURS
from compecon.views.error_bars import error_bars
from compecon.views.frontier.ablation import AblationView
from compecon.views.frontier.names import points_of
from compecon.views.frontier.points_of import Reading
from compecon.views.frontier.price_study import PriceView

_UNITS = {"heads": "attention only", "neurons": "FFN only", "both": "attention and FFN together"}
_KINDS = {"shadow": "shadow price of a target", "fixed": "fixed price"}
_SYMBOLS = ("circle", "square", "triangle-up")
_HEIGHT = 330
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


def ablation_figure(view: AblationView) -> go.Figure:
    """Change from the dense parent, or the metric where that is unknown, by the MACs left; a mark a training."""
    has_change = all(mark.change is not None for mark in view.marks)
    figure, scale = go.Figure(), points_of(view.metric)
    for place, (units, name) in enumerate(_UNITS.items()):
        marks = [mark for mark in view.marks if mark.units == units]
        ys = [mark.change if has_change and mark.change else mark.quality for mark in marks]
        if marks:
            shares = [mark.share for mark in marks]
            figure.add_trace(_marks(name, place, shares, [_times(y, scale) for y in ys], [mark.name for mark in marks]))
    y_title = f"{'change from the dense parent' if has_change else view.metric}{', points' if scale > 1 else ''}"
    return figure.update_layout(**_layout("MACs left, share of the dense parent's", y_title), xaxis_tickformat=".0%")


def price_figure(view: PriceView) -> go.Figure:
    """MACs left by price, the price on a logarithmic axis where it is above 0."""
    figure = go.Figure()
    for place, (kind, name) in enumerate(_KINDS.items()):
        marks = [mark for mark in view.marks if mark.kind == kind and mark.price > 0]
        if marks:
            told = [f"{mark.name}: {view.metric} {mark.quality.value:.4g}" for mark in marks]
            shares = [Reading(mark.share) for mark in marks]
            figure.add_trace(_marks(name, place, [mark.price for mark in marks], shares, told))
    layout = _layout("price (task loss for all of the dense cost)", "MACs left, share of the dense parent's")
    figure.update_layout(**layout)
    return figure.update_layout(xaxis={"type": "log", "tickvals": _TICKS}, yaxis_tickformat=".0%")


def _times(reading: Reading, scale: float) -> Reading:
    """The same in points."""
    low, high = (None if end is None else scale * end for end in (reading.low, reading.high))
    return Reading(scale * reading.value, low, high)


def _marks(name: str, place: int, xs: Sequence[float], ys: Sequence[Reading], told: Sequence[str]) -> go.Scatter:
    return go.Scatter(
        x=list(xs),
        y=[y.value for y in ys],
        error_y=error_bars([y.value for y in ys], [y.low for y in ys], [y.high for y in ys], thickness=0.8, width=0),
        name=name,
        mode="markers",
        marker={"size": 9, "symbol": _SYMBOLS[place], "color": COLOURS["light"][1 + place]},
        text=[html.escape(each) for each in told],
        hovertemplate="%{text}<br>%{y:.4g} at %{x:.4g}<extra>%{fullData.name}</extra>",
    )


def _layout(x_title: str, y_title: str) -> dict[str, Any]:
    return {
        "height": _HEIGHT,
        "xaxis_title": x_title,
        "yaxis_title": y_title,
        "margin": {"t": 20, "b": 50, "l": 60, "r": 10},
        "legend": {"orientation": "h", "y": 1.1},
    }
