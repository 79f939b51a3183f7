"""What the Allocation page holds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Literal, final

import streamlit as st

from app.state.address_bar import lose_unknown, write_changes
from app.state.held import seeded
from app.state.values import View, integer, one_of, passing, up_to
from compecon.allocation.rules import RULES
from compecon.views.allocation.choice_names import BELIEFS, Belief

PARTS = ("queries", "rules", "gains")
_CHOICE = "allocation_choice"


@final
@dataclass(frozen=True)
class AllocationChoice:
    """What the Allocation page allocates, and how."""

    stream: str = "sentiment-sizes"  # name of a bundled stream or of a mixture, or "file"
    rule: str = "shadow-price"  # key of a rule
    belief: Belief = "chance"  # which curves a rule takes the queries of a mixture to have
    noise: float = 0.0  # error of predicted thresholds, 0 to 1
    money: float = 0.0  # price per million tokens; 0 to count tokens alone
    service: float = 0.0  # share of the mean budget that every arrival is guaranteed, 0 to 0.9
    part: Literal["queries", "rules", "gains"] = "queries"  # what is shown below the canvas


@final
@dataclass(frozen=True)
class AllocationView(View):
    """Where the canvas of the Allocation page stands."""

    CANVAS, KEPT = "allocation_canvas", "allocation_view"
    CHECKS = MappingProxyType({"budget": integer, "query": integer, "order": one_of(("arrival", "price"))})

    budget: int = 20  # stop of the bar, from 0
    query: int = 0  # place of the chosen query in the stream
    order: Literal["arrival", "price"] = "arrival"  # how the queue is sorted


def allocation_choice(streams: Collection[str]) -> AllocationChoice:
    """What is allocated, as the widgets hold it, at first as the address bar says; seeds the widgets."""
    held: AllocationChoice = st.session_state.get(_CHOICE) or _in_address(streams)
    choice = AllocationChoice(**seeded("allocation", asdict(held)))
    st.session_state[_CHOICE] = choice
    return choice


def _in_address(streams: Collection[str]) -> AllocationChoice:
    lose_unknown("allocation", {"stream": streams, "rule": RULES})
    words = {"stream": streams, "rule": RULES, "belief": BELIEFS, "part": PARTS}
    numbers = {"noise": 1.0, "money": 1e6, "service": 0.9}
    checks = {name: one_of(allowed) for name, allowed in words.items()} | {n: up_to(m) for n, m in numbers.items()}
    return replace(AllocationChoice(), **passing(st.query_params.to_dict(), checks))


def keep_rule(rules: Collection[str]) -> str:
    """The chosen rule if it is among these, else the first one; before its menu is drawn."""
    if st.session_state["allocation_rule"] not in rules:
        st.session_state["allocation_rule"] = next(iter(rules))
    return str(st.session_state["allocation_rule"])


def remember_allocation(choice: AllocationChoice, view: AllocationView) -> None:
    """Write the page into the address bar; defaults are left out."""
    write_changes(asdict(choice) | asdict(view), asdict(AllocationChoice()) | asdict(AllocationView()))
