"""Which should I take? The widgets that ask for a limit."""

from __future__ import annotations

import streamlit as st

from app.canvas_data.advised import own_floor
from app.state.frontier_choice import FrontierChoice
from app.state.frontier_state import seed_floor
from compecon.views.frontier.drawn import FrontierView

_ASKS = {"ceiling": "Cost, at most", "change": "Loss against dense, at most", "floor": "Metric, at least"}
_HELP = {
    "ceiling": "Percent of the dense model's cost on this axis. Choose time as the cost to limit latency.",
    "change": "How far the metric may fall below that of the dense parent, in its unit; 0.01 is one point.",
    "floor": "Lowest acceptable value of the metric, in its unit.",
}


def advice_widgets(view: FrontierView, choice: FrontierChoice) -> None:
    """Ask for a limit."""
    st.markdown("**Which should I choose?**")
    st.selectbox("Limit", list(_ASKS), key="frontier_ask", format_func=_ASKS.__getitem__, label_visibility="collapsed")
    if choice.ask == "ceiling":
        st.number_input("Ceiling, %", 1, 100, step=5, key="frontier_ceiling", help=_HELP["ceiling"])
    elif choice.ask == "change":
        st.number_input("Loss", 0.0, step=0.005, format="%.3f", key="frontier_change", help=_HELP["change"])
    else:
        seed_floor(own_floor(view))
        st.number_input("Floor", step=0.005, format="%.3f", key="frontier_floor", help=_HELP["floor"])
