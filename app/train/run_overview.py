"""The first part of a run: its numbers and its curves."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.parts.data_table import data_table
from app.parts.widgets import escaped
from app.train.run_charts import curve_figure, curve_table
from compecon.views.runs.detail import RunDetail
from compecon.views.runs.results import Fact


def overview(detail: RunDetail) -> None:
    """While a run goes on, its curves come first; afterwards its results."""
    if detail.facts:
        _numbers(detail)
    _figures(detail)
    if not detail.facts:
        _numbers(detail)


def _numbers(detail: RunDetail) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        fact_table(detail.facts if detail.facts else detail.about, "Results" if detail.facts else "About")
    with right:
        _truth(detail)
        fact_table(detail.about if detail.facts else (), "About")


def _truth(detail: RunDetail) -> None:
    if not detail.expectations:
        return
    st.markdown("**Expected and measured**")
    data_table(
        {
            "": [each.name for each in detail.expectations],
            "expected": [each.expected for each in detail.expectations],
            "measured": [each.was for each in detail.expectations],
            "ratio": [each.ratio for each in detail.expectations],
        },
        column_config={"ratio": st.column_config.NumberColumn(format="%.2f")},
    )
    st.caption("Expected: estimated before training from two steps. Measured on this machine.")


def _figures(detail: RunDetail) -> None:
    if not detail.curves:
        if not detail.row.state.is_finished:
            st.caption("Curves appear after the first step.")
        return
    stages = ", ".join(f"{stage.name} from step {stage.after + 1:,}" for stage in detail.stages)
    st.caption(escaped(f"By optimizer step: {stages}."))
    for start in range(0, len(detail.curves), 2):
        for place, curve in zip(st.columns(2), detail.curves[start : start + 2], strict=False):
            figure = curve_figure(curve, detail.stages)
            place.vega_lite_chart(curve_table(curve), figure, key=f"curve-{curve.name}", alt=curve.description)
            place.caption(escaped(curve.description))


def fact_table(facts: Sequence[Fact], title: str) -> None:
    """Names and values under a heading; nothing if there are none."""
    if facts:
        st.markdown(f"**{escaped(title)}**")
        names, values = [escaped(fact.name) for fact in facts], [escaped(fact.value) for fact in facts]
        st.table({"name": names, "value": values}, hide_index=True, hide_header=True)
