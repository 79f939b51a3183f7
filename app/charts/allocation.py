"""Rules side by side as Plotly figures."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from compecon.views.allocation_rules import ORACLE_LABEL, RatioPoint, RuleCourse, on_frontier
from compecon.views.allocation_words import RULES

# Okabe and Ito's colours and more, told apart by dashes too.
_COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#8C8C8C",
    "#AA4499",
    "#999933",
    "#44AA99",
    "#B07AA1",
)
_DASHES = ("solid", "dash", "dot", "dashdot")


def rules_figure(courses: Sequence[RuleCourse], unit: str) -> go.Figure:
    """Accuracy against what was used, and the gap to the bound against the budget.

    Args:
        courses: A line each.
        unit: What budgets count.
    """
    figure = make_subplots(
        1, 2, subplot_titles=("accuracy (◆ on the frontier)", "share of the bound"), horizontal_spacing=0.09
    )
    for course, front in zip(courses, on_frontier(tuple(courses)), strict=True):
        look = _look(course.label)
        figure.add_trace(_accuracy(course, front, look), 1, 1)
        figure.add_trace(_achieved(course, look), 1, 2)
    figure.update_xaxes(title=f"really used, {unit}", col=1)
    figure.update_xaxes(title=f"budget, {unit}", col=2)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    figure.update_layout(
        height=430, margin={"t": 40, "b": 50, "l": 50, "r": 10}, legend={"orientation": "h", "y": -0.2}
    )
    return figure


def _look(label: str) -> dict[str, str]:
    """A rule has one colour and one dash in every figure."""
    labels = [*RULES.values(), ORACLE_LABEL]
    place = labels.index(label)
    return {"color": _COLOURS[place], "dash": _DASHES[place % len(_DASHES)]}


def _accuracy(course: RuleCourse, front: Sequence[bool], look: dict[str, str]) -> go.Scatter:
    ranked = sorted(zip(course.points, front, strict=True), key=lambda pair: pair[0].used)
    points = [point for point, _ in ranked]
    return go.Scatter(
        x=[point.used for point in points],
        y=[point.accuracy for point in points],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [point.high - point.accuracy for point in points],
            "arrayminus": [point.accuracy - point.low for point in points],
            "thickness": 0.6,
            "width": 0,
        },
        name=course.label,
        legendgroup=course.name,
        mode="lines+markers",
        marker={
            "size": [9 if best else 4 for _, best in ranked],
            "symbol": ["diamond" if best else "circle" for _, best in ranked],
        },
        line={**look, "width": 1.8},
        customdata=[[point.handed, point.budget] for point in points],
        hovertemplate="%{y:.1%} with %{x:,.4g} used, %{customdata[0]:,.4g} handed out<extra>%{fullData.name}</extra>",
    )


def _achieved(course: RuleCourse, look: dict[str, str]) -> go.Scatter:
    points = [point for point in course.points if point.bound > 0]
    return go.Scatter(
        x=[point.budget for point in points],
        y=[point.value / point.bound for point in points],
        name=course.label,
        legendgroup=course.name,
        showlegend=False,
        mode="lines",
        line={**look, "width": 1.8},
        customdata=[[point.gap] for point in points],
        hovertemplate="%{y:.1%} of the bound, gap %{customdata[0]:.3g}<extra>%{fullData.name}</extra>",
    )


def ratio_figure(points: Sequence[RatioPoint], unit: str) -> go.Figure:
    """Correct answers for each of uniform's.

    Args:
        points: Of all rules but uniform.
        unit: What budgets count.
    """
    figure = go.Figure()
    for rule in dict.fromkeys(point.rule for point in points):
        mine = [point for point in points if point.rule == rule]
        figure.add_trace(
            go.Scatter(
                x=[point.mean_budget for point in mine],
                y=[point.ratio for point in mine],
                name=rule,
                mode="lines",
                line={**_look(rule), "width": 1.8},
                customdata=[[point.n_uniform] for point in mine],
                hovertemplate="%{y:.2f} × uniform's %{customdata[0]} correct<extra>%{fullData.name}</extra>",
            )
        )
    figure.add_hline(y=1, line_dash="dash", line_color="#888", line_width=1)
    figure.update_layout(
        height=330,
        title="Ratio to uniform",
        xaxis={"title": f"budget a query, {unit}"},
        yaxis={"title": "correct answers, × uniform", "rangemode": "tozero"},
        margin={"t": 40, "b": 50, "l": 50, "r": 10},
    )
    return figure


def standalone(figure: go.Figure) -> str:
    """A page of its own that needs no network."""
    return str(figure.to_html(include_plotlyjs=True, full_html=True))
