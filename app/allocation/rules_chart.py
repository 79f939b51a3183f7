"""Rules side by side as Plotly figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from plotly.subplots import make_subplots

from app.parts.plotly_figures import go
from compecon.allocation.rules import RULES
from compecon.allocation.streams.predicted_value import Gain
from compecon.stats.intervals import Interval
from compecon.views.allocation.gains import gains_of, scale_of
from compecon.views.allocation.quoted_streams import QuotedRatio
from compecon.views.allocation.rules_compared import RatioPoint, RuleCourse, on_frontier
from compecon.views.error_bars import error_bars

# Okabe and Ito's colours and more; dashes tell lines apart without them.
_COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C8C8C", "#AA4499", "#999933", "#44AA99",
    "#B07AA1",
)  # fmt: skip
_DASHES = ("solid", "dash", "dot", "dashdot")


def rules_figure(courses: Sequence[RuleCourse], unit: str) -> go.Figure:
    """A line for each rule: accuracy against what was used, and the share of the bound against the budget."""
    figure = make_subplots(
        1, 2, subplot_titles=("accuracy (◆ on the frontier)", "share of the bound"), horizontal_spacing=0.09
    )
    for course, front in zip(courses, on_frontier(tuple(courses)), strict=True):
        look = _look(course.label)
        figure.add_trace(_accuracy(course, front, look), 1, 1)
        figure.add_trace(_achieved(course, look), 1, 2)
    figure.update_xaxes(title=f"used, {unit}", col=1)
    figure.update_xaxes(title=f"budget, {unit}", col=2)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    figure.update_layout(
        height=430, margin={"t": 40, "b": 50, "l": 50, "r": 10}, legend={"orientation": "h", "y": -0.2}
    )
    return figure


def _look(label: str) -> dict[str, str]:
    """A rule has one colour and one dash in every figure."""
    labels = [rule.label for rule in RULES.values()]
    place = labels.index(label)
    return {"color": _COLOURS[place % len(_COLOURS)], "dash": _DASHES[place % len(_DASHES)]}


def _accuracy(course: RuleCourse, front: Sequence[bool], look: dict[str, str]) -> go.Scatter:
    ranked = sorted(zip(course.points, front, strict=True), key=lambda pair: pair[0].used)
    points = [point for point, _ in ranked]
    return go.Scatter(
        x=[point.used for point in points],
        y=[point.accuracy for point in points],
        error_y=error_bars(*_ends(points, "accuracy"), thickness=0.6, width=0),
        name=course.label,
        legendgroup=course.name,
        mode="lines+markers",
        marker={
            "size": [9 if best else 4 for _, best in ranked],
            "symbol": ["diamond" if best else "circle" for _, best in ranked],
        },
        line={**look, "width": 1.8},
        customdata=[[point.handed, point.budget] for point in points],
        hovertemplate="%{y:.1%} with %{x:,.4g} used, %{customdata[0]:,.4g} allocated<extra>%{fullData.name}</extra>",
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
    """Correct answers of all rules but uniform relative to uniform's."""
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
        xaxis={"title": f"budget per query, {unit}"},
        yaxis={"title": "correct answers, × uniform", "rangemode": "tozero"},
        margin={"t": 40, "b": 50, "l": 50, "r": 10},
    )
    return figure


def standalone(figure: go.Figure) -> str:
    """A page of its own that needs no network."""
    return str(figure.to_html(include_plotlyjs=True, full_html=True))


def with_quoted(figure: go.Figure, quoted: Sequence[QuotedRatio]) -> go.Figure:
    """The figure of `ratio_figure` with the paper's own ratios for the same stream as marks: quoted, not computed."""
    figure.add_trace(
        go.Scatter(
            x=[point.budget for point in quoted],
            y=[point.ratio for point in quoted],
            error_y=error_bars(*_ends(quoted, "ratio"), width=3),
            name="quoted: the paper's draft figure",
            mode="markers",
            marker={"symbol": "x-thin", "size": 9, "color": "#8C8C8C", "line": {"width": 2, "color": "#8C8C8C"}},
            customdata=[[point.method, point.uniform] for point in quoted],
            hovertemplate="quoted: %{customdata[0]:.1%} against %{customdata[1]:.1%}, %{y:.2f} ×<extra></extra>",
        )
    )
    return figure


_DOUBLED = [2**n for n in range(8)]


class _Line(NamedTuple):
    label: str
    name: str
    colour: str
    dash: str
    symbol: str


_GAINS = (
    _Line("equal budgets", "same", "#8C8C8C", "solid", "circle"),
    _Line("one price, outcomes known (oracle)", "hindsight", "#0072B2", "solid", "diamond"),
    _Line("one price, predicted chances", "chances", "#009E73", "dash", "square"),
    _Line("one price, predicted thresholds", "thresholds", "#D55E00", "dot", "x"),
)


def gains_figure(streams: Sequence[str]) -> go.Figure:
    """Correct answers against the mean budget on each measured stream: equal budgets, known and predicted outcomes."""
    titles = [f"{stream}, {scale_of(stream)[1]} per query" for stream in streams]
    figure = make_subplots(
        (len(streams) + 1) // 2, 2, subplot_titles=titles, horizontal_spacing=0.07, vertical_spacing=0.14
    )
    for place, stream in enumerate(streams):
        row, column = place // 2 + 1, place % 2 + 1
        for line in _GAINS:
            trace = _gain_line(gains_of(stream), line, scale_of(stream)[0])
            figure.add_trace(trace.update(showlegend=place == 0), row, column)
        if stream.endswith("-keys"):  # doubled from one to the next
            figure.update_xaxes(type="log", tickvals=_DOUBLED, row=row, col=column)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    figure.update_layout(
        height=300 * ((len(streams) + 1) // 2),
        margin={"t": 40, "b": 40, "l": 50, "r": 10},
        legend={"orientation": "h", "y": -0.08},
    )
    return figure


def _ends(found: Sequence[Any], value: str) -> tuple[list[float], list[float], list[float]]:
    """Values, lower and upper ends."""
    return [getattr(one, value) for one in found], [one.low for one in found], [one.high for one in found]


def _gain_line(found: Sequence[Gain], line: _Line, scale: float) -> go.Scatter:
    added = [Interval(0.0, 0.0, 0.0) if line.name == "same" else getattr(gain, line.name) for gain in found]
    return go.Scatter(
        x=[gain.mean_budget / scale for gain in found],
        y=[gain.same + more.value for gain, more in zip(found, added, strict=True)],
        error_y=error_bars(*_ends(added, "value"), width=0),
        name=line.label,
        legendgroup=line.name,
        mode="lines+markers",
        marker={"symbol": line.symbol, "size": 7},
        line={"color": line.colour, "dash": line.dash, "width": 1.8},
        customdata=[[100 * more.value, 100 * more.low, 100 * more.high] for more in added],
        hovertemplate="%{y:.1%}: %{customdata[0]:+.1f} points (%{customdata[1]:+.1f} to %{customdata[2]:+.1f})"
        "<extra>%{fullData.name}</extra>",
    )
