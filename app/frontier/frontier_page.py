"""The Frontier page: which checkpoint to take, the plot with its key-budget bar, and what lies below them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.canvas_data.advised import advised
from app.frontier.advice_panel import advice_widgets
from app.frontier.below_plot import below
from app.frontier.frontier_canvas import frontier_canvas
from app.parts.widgets import lost_part
from app.server.frontier_data import axes_of
from app.server.resources import forget_checkpoints
from app.server.shared_frontier import FRESH_S, Frontier, frontier
from app.state.attention_state import select_checkpoint
from app.state.compare_state import choose_pair
from app.state.frontier_choice import FrontierChoice
from app.state.frontier_state import frontier_choice, frontier_place, remember_frontier
from compecon.paths import dashboard_root
from compecon.views.frontier.frontier_points import FrontierPoint

_Y = {"quality": "The metric", "change": "Change from dense parent"}


def frontier_page() -> None:
    """Everything on the page."""
    shown = frontier()
    choice = frontier_choice(shown.tasks, shown.costs)
    if not shown.tasks:
        lost_part("frontier")
        st.info("Nothing to show yet: no checkpoint, run or result has a metric. Start a run on the Train page.")
        return
    view = shown.view(axes_of(choice))
    place = frontier_place(shown.by_key, view.budgets)
    lost_part("frontier")
    with st.sidebar:
        _controls(shown, choice)
        advice_widgets(view, choice)
    advice = advised(view, choice)
    _go(shown, frontier_canvas(shown, view, place, advice))
    below(shown, view, choice, place.chosen, advice)
    _keep_looking(shown)
    remember_frontier(choice, place, next(iter(shown.tasks)))


def _controls(shown: Frontier, choice: FrontierChoice) -> None:
    st.markdown("**Frontier** · quality against cost")
    st.selectbox("Task", list(shown.tasks), key="frontier_task", format_func=shown.tasks.__getitem__)
    costs = shown.costs[choice.task]
    st.selectbox(
        "Cost (less is better)",
        list(costs),
        key="frontier_x",
        format_func=costs.__getitem__,
        help="What a point costs: counted, measured or estimated, as its name says.",
    )
    st.radio("Quality", list(_Y), key="frontier_y", format_func=_Y.__getitem__)
    st.toggle("Logarithmic cost", key="frontier_log")


def _go(shown: Frontier, wish: Any) -> None:
    """Open what a button on a point's card asks for."""
    point = shown.by_key.get(str(wish.get("key"))) if isinstance(wish, dict) else None
    if point is None or not point.checkpoint:
        return
    forget_checkpoints()
    parent = shown.dense_parent(point)
    if wish.get("to") == "compare" and parent is not None:
        choose_pair(point.checkpoint, parent.checkpoint, size=point.budget or 1.0)
        st.switch_page(dashboard_root() / "pages" / "compare.py")
    elif wish.get("to") == "attention":
        select_checkpoint(point.checkpoint)
        st.switch_page(dashboard_root() / "pages" / "attention.py", query_params=_size(point))


def _size(point: FrontierPoint) -> dict[str, str]:
    """What an address says of a size of an elastic checkpoint; nothing of any other, nor of the whole."""
    return {} if point.budget in (None, 1.0) else {"size": repr(point.budget)}


def _keep_looking(shown: Frontier) -> None:
    """While a run of these goes on, look again: its point crawls."""
    if shown.polls:

        @st.fragment(run_every=FRESH_S)
        def look() -> None:
            if frontier() is not shown:
                st.rerun()

        look()
