"""Views beside the frontier: families and their areas, heads or neurons, prices, proxies."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.frontier.shared_frontier import Frontier
from app.frontier.side_charts import ablation_figure, price_figure
from app.parts.data_table import data_table
from app.parts.widgets import escaped
from compecon.views.frontier.ablation import ablation_view
from compecon.views.frontier.frontier_view import FrontierView
from compecon.views.frontier.price_study import price_view


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
    st.caption(escaped(f"Areas are relative to the worst corner: cost {x:.4g}, quality {y:.4g}. Larger is better."))


def ablation_part(shown: Frontier, task: str) -> None:
    """Heads alone, neurons alone, both."""
    view = ablation_view(shown.points, task)
    _say(view.sentences)
    if view.marks:
        st.plotly_chart(ablation_figure(view), key="frontier-ablation", theme="streamlit")
    for command in view.commands:
        st.code(command, language=None, wrap_lines=True)


def prices_part(shown: Frontier, task: str) -> None:
    """Price against the cost that it brought."""
    view = price_view(shown.points, task)
    _say(view.sentences)
    if not view.marks:
        return
    st.plotly_chart(price_figure(view), key="frontier-prices", theme="streamlit")
    data_table(
        {
            "Name": [mark.name for mark in view.marks],
            "Price": [mark.price for mark in view.marks],
            "Kind": [mark.kind for mark in view.marks],
            "MACs left": [mark.share for mark in view.marks],
            "Target": [mark.target for mark in view.marks],
            "Target met by the gates": [mark.met for mark in view.marks],
            "Quality": [mark.quality.value for mark in view.marks],
        },
        column_config={
            "Price": st.column_config.NumberColumn(format="%.3g", help="In task loss for all of the dense cost."),
            "MACs left": st.column_config.NumberColumn(format="percent"),
            "Target": st.column_config.NumberColumn(format="percent"),
            "Quality": st.column_config.NumberColumn(format="%.4f"),
        },
        alt="Priced trainings, lowest price first",
    )


def proxies_part(shown: Frontier, task: str) -> None:
    """Which cheap number orders models as their real cost does."""
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
