"""The part of the Allocation page that compares rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from app.allocation.rules_chart import ratio_figure, rules_figure, standalone, with_quoted
from app.canvas_data.allocation_data import provenance
from app.canvas_data.shared_markets import courses_of_rules
from app.parts.plotly_figures import go
from app.parts.widgets import escaped
from app.state.allocation_choice import AllocationChoice
from compecon.allocation.streams.synthetic import MIXTURES
from compecon.views.allocation.market_data import Market
from compecon.views.allocation.query_table import courses_rows, table_csv, table_json
from compecon.views.allocation.quoted_streams import Agreement, agreement, quoted_ratios, quoted_source
from compecon.views.allocation.rule_view import left_out, rule_note, rules_for
from compecon.views.allocation.rules_compared import RuleCourse, hundreds, ratios

_MIME = {"HTML": "text/html", "CSV": "text/csv", "JSON": "application/json"}
_RATIO = ("rule", "mean_budget", "ratio", "low", "high")
_QUOTED = (
    "Quoted, not reproduced: the paper (Wan et al. 2026, arXiv 2606.03092) reports up to 3 times the accuracy of "
    "uniform allocation where tokens are scarce; the names of the four mixtures are from its authors' draft figure."
)


def figure_downloads(name: str, figure: go.Figure, rows: Sequence[Mapping[str, Any]], about: Mapping[str, str]) -> None:
    """A button for each format of a figure and its numbers; its own toolbar saves it as a picture."""
    downloads(
        name,
        {
            "HTML": lambda: standalone(figure),
            "CSV": lambda: table_csv(rows, about),
            "JSON": lambda: table_json(rows, about),
        },
    )


def downloads(name: str, forms: Mapping[str, Callable[[], str]]) -> None:
    """A button for each format of some files of one name; a file is made once its button is pressed."""
    columns = st.columns([1] * len(forms) + [8 - len(forms)])
    for column, (form, content) in zip(columns, forms.items(), strict=False):
        column.download_button(
            escaped(form),
            content,
            f"{name}.{form.lower()}",
            _MIME[form],
            on_click="ignore",
            width="stretch",
            key=f"{name}-{form}",
        )


def rules_part(market: Market, choice: AllocationChoice) -> None:
    """Accuracy, share of the bound, and ratio to uniform of every rule that fits."""
    with st.spinner("Computing every rule …"):
        courses = courses_of_rules(market, with_oracle=market.is_drawn and choice.noise > 0)
    figure = rules_figure(courses, market.unit)
    st.plotly_chart(figure, key="allocation-rules")
    st.caption(
        "Plotted against what was used, not what was allocated: uniform allocates caps that answers do not fill. "
        "Diamonds: no rule gets more correct answers with less. Bars: 95% intervals over queries (Wilson); as every "
        "rule sees the same queries, differences are more certain than the bars suggest."
    )
    notes = [*(rule_note(market, name) for name in rules_for(market)), *left_out(market).values()]
    st.caption(escaped(" ".join(filter(None, notes))))
    figure_downloads("rules", figure, courses_rows(courses), provenance(market, choice))
    _ratio(market, choice, courses)


def _ratio(market: Market, choice: AllocationChoice, courses: tuple[RuleCourse, ...]) -> None:
    found = ratios(courses, len(market.queries))
    quoted = quoted_ratios(market.name) if market.name in MIXTURES else ()
    figure = ratio_figure(found, market.unit)
    st.plotly_chart(with_quoted(figure, quoted) if quoted else figure, key="allocation-ratio")
    kind = "drawn by compecon" if market.is_drawn else "outcomes known"
    st.caption(
        f"Correct answers ({kind}) relative to uniform at the same budget; omitted where uniform has fewer than five. "
        + _QUOTED
    )
    if quoted:
        like = agreement(hundreds(market), quoted)
        st.caption(escaped(f"Lines: synthetic, drawn by compecon. Crosses: {quoted_source()} {_alike(like)}"))
    rows: list[tuple[Any, ...]] = [(point.rule, point.mean_budget, point.ratio, None, None) for point in found]
    rows += [("quoted", point.budget, point.ratio, point.low, point.high) for point in quoted]
    about = provenance(market, choice) | ({"quoted": quoted_source()} if quoted else {})
    figure_downloads("ratio", figure, [dict(zip(_RATIO, row, strict=True)) for row in rows], about)


def _alike(found: Agreement | None) -> str:
    if found is None:
        return ""
    return (
        f"At the {found.n} budgets that both have, our shadow price's ratio differs by a factor of {found.factor:.2f} "
        f"on average, at most {found.worst:.2f} (at {found.worst_budget:g} tokens per query); rank correlation "
        f"{found.rank:.2f}."
    )
