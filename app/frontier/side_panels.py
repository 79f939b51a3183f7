"""Views beside the frontier: families and their areas, heads or neurons, prices, proxies."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import streamlit as st

from app.canvas_data.plot_style import COLOURS
from app.parts.data_table import data_table
from app.parts.plotly_figures import go
from app.parts.widgets import escaped
from app.server.shared_frontier import Frontier
from compecon.views.error_bars import error_bars
from compecon.views.frontier.ablation import UNITS, ablation_view
from compecon.views.frontier.drawn import FrontierView
from compecon.views.frontier.frontier_points import Reading
from compecon.views.frontier.names import scale_of
from compecon.views.frontier.price_study import price_view
from compecon.views.frontier.study_marks import Study, StudyMark

_KINDS = {"shadow": "shadow price of a target", "fixed": "fixed price"}
_SYMBOLS = ("circle", "square", "triangle-up")
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
_MACS_LEFT = "MACs left, share of the dense parent's"


def families_part(view: FrontierView) -> None:
    """How much each family dominates."""
    measured = [family for family in view.families if family.volume is not None]
    data_table(
        {
            "Family": [family.name for family in measured],
            "Points": [len(family.marks) for family in measured],
            "On its own front": [len(family.front) for family in measured],
            "On the front of all": [sum(mark.standing == "front" for mark in family.marks) for family in measured],
            "Area": [family.volume for family in measured],
        },
        column_config={
            "Area": st.column_config.NumberColumn(
                format="%.4g",
                help="Hypervolume: the area the family dominates, relative to the worst corner given below.",
            )
        },
        alt="Families and the areas they dominate",
    )
    x, y = view.reference
    corner = f"cost {x:.4g}, quality {y:.4g}".replace("-", "−")
    st.caption(escaped(f"Areas are relative to the worst corner: {corner}. Larger is better."))


def ablation_part(shown: Frontier, task: str) -> None:
    """Heads alone, neurons alone, both."""
    study = ablation_view(shown.points, task)
    _say(study.sentences)
    if study.marks:
        st.plotly_chart(ablation_figure(study), key="frontier-ablation", theme="streamlit")
    for command in study.commands:
        st.code(command, language=None, wrap_lines=True)


def prices_part(shown: Frontier, task: str) -> None:
    """Price against the cost that it brought."""
    study = price_view(shown.points, task)
    _say(study.sentences)
    if not study.marks:
        return
    st.plotly_chart(price_figure(study), key="frontier-prices", theme="streamlit")
    trainings = [mark.point.training for mark in study.marks]
    data_table(
        {
            "Name": [mark.point.name for mark in study.marks],
            "Price": [training.price for training in trainings],
            "Kind": [mark.kind for mark in study.marks],
            "MACs left": [mark.share for mark in study.marks],
            "Target": [training.target for training in trainings],
            "Target met by the gates": [training.met for training in trainings],
            "Quality": [mark.quality.value for mark in study.marks],
        },
        column_config={
            "Price": st.column_config.NumberColumn(
                format="%.3g", help="Task loss per dense cost: what the whole dense model would be charged."
            ),
            "MACs left": st.column_config.NumberColumn(format="percent"),
            "Target": st.column_config.NumberColumn(format="percent"),
            "Quality": st.column_config.NumberColumn(format="%.4f"),
        },
        alt="Priced trainings, lowest price first",
    )


def proxies_part(shown: Frontier, task: str) -> None:
    """Which cheap number ranks models as their real cost does."""
    from compecon.views.frontier.proxies import proxy_view  # noqa: PLC0415 - scipy.stats: not for the first picture

    view = proxy_view(shown.points, task)
    _say(view.sentences)
    data_table(
        {
            "Proxy": [row.name for row in view.rows],
            "with MACs": [row.with_macs.rho for row in view.rows],
            "points": [row.with_macs.n for row in view.rows],
            "with time": [row.with_latency.rho for row in view.rows],
            "number of models": [row.with_latency.n for row in view.rows],
            "What it is": [row.description for row in view.rows],
        },
        column_config={
            "with MACs": st.column_config.NumberColumn(
                format="%.2f", help="Spearman rank correlation with counted MACs."
            ),
            "with time": st.column_config.NumberColumn(
                format="%.2f", help="Spearman rank correlation with measured time."
            ),
            "number of models": st.column_config.NumberColumn("points"),
            "What it is": st.column_config.TextColumn(width="large"),
        },
        alt="Cost proxies by rank correlation with cost",
    )
    if view.setting:
        st.caption(escaped(f"Time measured on {view.setting}."))


def _say(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        st.text(sentence)


def ablation_figure(study: Study) -> go.Figure:
    """Change from the dense parent, or the metric where that is unknown, by the MACs left; a mark a training."""
    has_change = all(mark.change is not None for mark in study.marks)
    scale = scale_of(study.metric)
    points = [
        (mark, mark.point.name, mark.share, _times(mark.change if has_change and mark.change else mark.quality, scale))
        for mark in study.marks
    ]
    y_title = f"{'change from the dense parent' if has_change else study.metric}{', points' if scale > 1 else ''}"
    return _figure(UNITS, points, (_MACS_LEFT, y_title)).update_layout(xaxis_tickformat=".0%")


def price_figure(study: Study) -> go.Figure:
    """MACs left by price, the price on a logarithmic axis where it is above 0."""
    points = [
        (mark, f"{mark.point.name}: {study.metric} {mark.quality.value:.4g}", price, Reading(mark.share))
        for mark in study.marks
        if (price := mark.point.training.price or 0.0) > 0
    ]
    figure = _figure(_KINDS, points, ("price (task loss for all of the dense cost)", _MACS_LEFT))
    return figure.update_layout(xaxis={"type": "log", "tickvals": _TICKS}, yaxis_tickformat=".0%")


def _times(reading: Reading, scale: float) -> Reading:
    low, high = (None if end is None else scale * end for end in (reading.low, reading.high))
    return Reading(scale * reading.value, low, high)


def _figure(
    kinds: Mapping[str, str], points: Sequence[tuple[StudyMark, str, float, Reading]], titles: tuple[str, str]
) -> go.Figure:
    """A trace for each kind that has marks, each given with its text and its place."""
    figure = go.Figure()
    for place, (kind, name) in enumerate(kinds.items()):
        if own := [each for each in points if each[0].kind == kind]:
            _, texts, xs, ys = zip(*own, strict=True)
            values = [y.value for y in ys]
            figure.add_scatter(
                x=list(xs),
                y=values,
                error_y=error_bars(values, [y.low for y in ys], [y.high for y in ys], thickness=0.8, width=0),
                name=name,
                mode="markers",
                marker={"size": 9, "symbol": _SYMBOLS[place], "color": COLOURS["light"][1 + place]},
                text=[html.escape(each) for each in texts],
                hovertemplate="%{text}<br>%{y:.4g} at %{x:.4g}<extra>%{fullData.name}</extra>",
            )
    margin, legend = {"t": 20, "b": 50, "l": 60, "r": 10}, {"orientation": "h", "y": 1.1}
    return figure.update_layout(height=330, xaxis_title=titles[0], yaxis_title=titles[1], margin=margin, legend=legend)
