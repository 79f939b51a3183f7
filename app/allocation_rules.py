"""The part of the Allocation page that compares rules."""

from __future__ import annotations

import streamlit as st

from app.charts.allocation import ratio_figure, rules_figure, standalone
from app.market import courses_of_rules
from app.state.allocation import AllocationChoice
from compecon.views.allocation_rules import RuleCourse, ratios
from compecon.views.market import Market

_QUOTED = (
    "Quoted, not reproduced: the paper (Wan et al. 2026, arXiv 2606.03092) reports up to 3 times the accuracy of "
    "uniform allocation where tokens are scarce; the names of the four mixtures are from its authors' draft figure."
)


def rules_part(market: Market, choice: AllocationChoice) -> None:
    """Accuracy, share of the bound, and ratio to uniform of every rule that fits."""
    with st.spinner("Computing every rule …"):
        courses = courses_of_rules(market, with_oracle=market.is_drawn and choice.noise > 0)
    figure = rules_figure(courses, market.unit)
    st.plotly_chart(figure, key="allocation-rules")
    st.caption(
        "Against what was really used, not what was handed out: uniform hands out caps that answers do not fill. "
        "Diamonds: no rule answers more with less. Bars: 95 % over queries (Wilson); the queries are the same "
        "under every rule, so differences are surer than the bars."
    )
    st.download_button("Rules as HTML", lambda: standalone(figure), "rules.html", "text/html", on_click="ignore")
    _ratio(market, courses)


def _ratio(market: Market, courses: tuple[RuleCourse, ...]) -> None:
    figure = ratio_figure(ratios(courses, len(market.queries)), market.unit)
    st.plotly_chart(figure, key="allocation-ratio")
    kind = "drawn by us" if market.is_drawn else "known in hindsight"
    st.caption(
        f"Correct answers, {kind}, for each of uniform's at the same budget; none where uniform has fewer than five. "
        + _QUOTED
    )
    st.download_button("Ratio as HTML", lambda: standalone(figure), "ratio.html", "text/html", on_click="ignore")
