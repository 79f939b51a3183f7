"""The Allocation page: what is allocated, the canvas, and the tables and figures below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from app.allocation.file_panel import columns_part, file_market
from app.allocation.gains_panel import gains_part
from app.allocation.rules_panel import downloads, rules_part
from app.canvas_data.allocation_data import canvas_data, placed
from app.canvas_data.shared_markets import FILE, market_of, own_streams_problem, points_of, streams
from app.parts.canvas import canvas_component
from app.parts.data_table import data_table
from app.parts.widgets import escaped, lost_part, method_problems
from app.state.allocation_choice import AllocationChoice, AllocationView
from app.state.allocation_state import allocation_choice, keep_rule, lose_beyond, remember_allocation
from compecon.allocation.rules import RULES
from compecon.allocation.streams.synthetic import MIXTURES
from compecon.errors import StreamError
from compecon.views.allocation.choice_names import BELIEFS
from compecon.views.allocation.curve_lines import query_curves
from compecon.views.allocation.market_data import Market
from compecon.views.allocation.query_table import QueryRow, allocation_json, query_rows, rows_csv
from compecon.views.allocation.rule_view import left_out, rules_for

_PARTS = {"queries": "Queries", "rules": "Rules side by side", "gains": "What sharing one budget gains"}
_FAR = 10**4  # beyond the last budget and query of any address


def allocation_page() -> None:
    """Everything on the page."""
    choice, view = allocation_choice(streams()), AllocationView.current()
    lost = st.container()  # above the canvas; what it says is known once the stream is
    with st.sidebar:
        market = _market(choice)
        if market is not None:
            choice = _rule(choice, market)
    if market is not None:
        lose_beyond(view, placed(market, choice, AllocationView(budget=_FAR, query=_FAR)))
    with lost:
        lost_part("allocation")
    if market is None:
        if choice.stream == FILE:
            columns_part()
        remember_allocation(choice, view)
        return
    view = placed(market, choice, view)
    _canvas(market, choice, view)
    st.caption(escaped(market.description))
    part = st.segmented_control(
        "Below", _PARTS, format_func=_PARTS.__getitem__, key="allocation_part", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    if part == "rules":
        rules_part(market, choice)
    elif part == "gains":
        gains_part()
    else:
        _queries(market, choice, view)
    remember_allocation(choice, view)


def _market(choice: AllocationChoice) -> Market | None:
    """Draw the choice of a stream; None as long as there is no file, or a bad one."""
    titles = streams()
    st.selectbox("Stream", list(titles), key="allocation_stream", format_func=titles.__getitem__)
    if problem := own_streams_problem():
        st.warning(escaped(problem))
    if choice.stream == FILE:
        return file_market()
    if choice.stream in MIXTURES:
        st.selectbox(
            "Curve that the rule sees",
            list(BELIEFS),
            key="allocation_belief",
            format_func=BELIEFS.__getitem__,
            help="The paper's surge peaks and falls; a cap's true value is the chance that an answer fits into it.",
        )
        st.slider(
            "Noise on predicted thresholds",
            0.0,
            1.0,
            step=0.1,
            key="allocation_noise",
            help="Standard deviation of the error in log(threshold); 0.3 means off by about a third.",
        )
    try:
        with st.spinner("Drawing queries …"):
            return market_of(choice.stream, choice.belief, choice.noise)
    except StreamError as error:
        st.error(escaped(str(error)))
        return None


def _rule(choice: AllocationChoice, market: Market) -> AllocationChoice:
    names = rules_for(market)
    rule = keep_rule(names)
    reasons = escaped(" ".join(left_out(market).values())) or None
    st.selectbox("Rule", names, key="allocation_rule", format_func=lambda name: RULES[name].label, help=reasons)
    method_problems()
    st.slider(
        "Minimum service of arrivals",
        0.0,
        0.9,
        step=0.1,
        format="%.1f",
        key="allocation_service",
        help="Share of the mean budget that every query may use at any price, when arrivals are played back.",
    )
    if market.unit == "tokens":
        st.number_input(
            "Price per million tokens",
            0.0,
            1e6,
            key="allocation_money",
            help="In any currency; 0 hides costs. Otherwise budgets and prices are shown as costs too.",
        )
    return replace(choice, rule=rule)


def _canvas(market: Market, choice: AllocationChoice, view: AllocationView) -> None:
    with st.spinner("Computing all budgets of the bar …"):
        data = canvas_data(market, choice, view)
    component = canvas_component("allocation")
    component(data=data, key=AllocationView.CANVAS, on_view_change=lambda: None)


def _queries(market: Market, choice: AllocationChoice, view: AllocationView) -> None:
    point = next(point for point in points_of(market, choice.rule) if point.place == view.budget)
    rows = query_rows(market, point, query_curves(market))
    _table(rows, market)
    forms = {"CSV": lambda: rows_csv(rows), "JSON": lambda: allocation_json(market, choice.rule, point, rows)}
    downloads("allocation", forms)


def _table(rows: Sequence[QueryRow], market: Market) -> None:
    data_table(
        {
            "Query": [row.query for row in rows],
            "Surplus": [row.surplus for row in rows],
            "Spend": [row.spend for row in rows],
            **({market.level_title: [row.level for row in rows]} if market.levels is not None else {}),
            "Value": [row.value for row in rows],
            "Highest price": [row.choke for row in rows],
            "Correct": [row.correct for row in rows],
            "Why": [row.why for row in rows],
        },
        height=320,
        column_config={
            "Query": st.column_config.TextColumn(width=150),
            "Surplus": st.column_config.NumberColumn(format="%.4g", width=90, help="Value − price × spend."),
            "Spend": st.column_config.NumberColumn(format="%.4g", width=90),
            "Size": st.column_config.TextColumn(width=70, help="Share of the MACs that reads it; empty for none."),
            "Send to": st.column_config.TextColumn(width=120, help="The level that its spend buys; empty for none."),
            "Value": st.column_config.NumberColumn(format="%.4g", width=90),
            "Highest price": st.column_config.NumberColumn(
                format="%.3g", width=110, help="At this price and above it buys nothing."
            ),
            "Correct": st.column_config.NumberColumn(
                format="%.2f", width=80, help="Probability of a correct answer at this spend."
            ),
            "Why": st.column_config.TextColumn(width="large"),
        },
        alt="Queries by surplus",
    )
    queries = "1 query" if len(rows) == 1 else f"{len(rows)} queries"
    st.caption(escaped(f"{queries} at this budget, largest surplus first. Spends in {market.unit}."))
