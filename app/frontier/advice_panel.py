"""Which should I take? A limit in, a checkpoint and its price out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import streamlit as st

from app.parts.widgets import escaped
from app.state.frontier_state import FrontierChoice, seed_floor
from compecon.views.frontier.advice import Advice, advise
from compecon.views.frontier.drawn import FrontierView
from compecon.views.frontier.limits import Wish
from compecon.views.frontier.names import DENSE, scale_of

_ASKS = {"ceiling": "Cost, at most", "change": "Loss against dense, at most", "floor": "Metric, at least"}
_HELP = {
    "ceiling": "Percent of the dense model's cost on this axis. Choose time as the cost to limit latency.",
    "change": "How far the metric may fall below that of the dense parent, in its unit; 0.01 is one point.",
    "floor": "Lowest acceptable value of the metric, in its unit.",
}


@final
@dataclass(frozen=True)
class Advised:
    """What the plot highlights."""

    key: str = ""  # the point to take, or ""
    limit: Mapping[str, Any] | None = None  # a line for the limit: "axis", "value", "text"; None if it is on no axis
    advice: Advice | None = None  # the answer; None if there is no question
    question: str = ""


def advice_part(view: FrontierView, choice: FrontierChoice) -> Advised:
    """Ask for a limit, and say what to take within it."""
    with st.container(border=True):
        left, right = st.columns([1, 4], gap="medium")
        with left:
            _ask(view, choice)
        advice = advise(view, _wish(choice))
        with right:
            first, *others = advice.sentences
            (st.success if advice.key else st.warning)(escaped(first))
            st.caption(escaped(" ".join(others)))
    return Advised(advice.key or advice.nearest, _limit(advice, choice, view), advice, _question(choice))


def _question(choice: FrontierChoice) -> str:
    if choice.ask == "ceiling":
        return f"Which should I choose for at most {choice.ceiling}% of the dense model's cost?"
    if choice.ask == "change":
        return f"Which should I choose to lose at most {choice.change:g} of the metric against dense?"
    return f"Which should I choose for a metric of at least {choice.floor:g}?"


def _ask(view: FrontierView, choice: FrontierChoice) -> None:
    st.markdown("**Which should I choose?**")
    st.selectbox("Limit", list(_ASKS), key="frontier_ask", format_func=_ASKS.__getitem__, label_visibility="collapsed")
    if choice.ask == "ceiling":
        st.number_input("Ceiling, %", 1, 100, step=5, key="frontier_ceiling", help=_HELP["ceiling"])
    elif choice.ask == "change":
        st.number_input("Loss", 0.0, step=0.005, format="%.3f", key="frontier_change", help=_HELP["change"])
    else:
        seed_floor(_own_floor(view))
        st.number_input("Floor", step=0.005, format="%.3f", key="frontier_floor", help=_HELP["floor"])


def _own_floor(view: FrontierView) -> float:
    """A point worse than the dense model."""
    dense = [mark.point.quality.value for mark in view.marks if mark.point.family == DENSE and mark.point.quality]
    return round(dense[0] - 0.01 if view.higher_is_better else 1.01 * dense[0], 3) if dense else 0.0


def _wish(choice: FrontierChoice) -> Wish:
    if choice.ask == "ceiling":
        return Wish(most_share=choice.ceiling / 100)
    return Wish(least_change=-choice.change) if choice.ask == "change" else Wish(least_quality=choice.floor or None)


def _limit(advice: Advice, choice: FrontierChoice, view: FrontierView) -> Mapping[str, Any] | None:
    if choice.ask == "ceiling" and advice.most_x is not None:
        return {"axis": "x", "value": advice.most_x, "text": f"{choice.ceiling}% of the dense cost"}
    if choice.ask != "ceiling" and advice.least_y is not None:
        return {"axis": "y", "value": scale_of(view.metric) * advice.least_y, "text": "your floor"}
    return None
