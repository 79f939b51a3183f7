"""What a session holds of the Allocation page."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict

import streamlit as st

from app.state.address_bar import lose_unknown, write_changes
from app.state.allocation_choice import AllocationChoice, AllocationView, rule_among
from app.state.held import seeded
from compecon.allocation.rules import RULES

_CHOICE = "allocation_choice"


def allocation_choice(streams: Collection[str]) -> AllocationChoice:
    """What is allocated, as the widgets hold it, at first as the address bar says; seeds the widgets."""
    held: AllocationChoice = st.session_state.get(_CHOICE) or _in_address(streams)
    choice = AllocationChoice(**seeded("allocation", asdict(held)))
    st.session_state[_CHOICE] = choice
    return choice


def _in_address(streams: Collection[str]) -> AllocationChoice:
    lose_unknown("allocation", {"stream": streams, "rule": RULES})
    return AllocationChoice.from_mapping(st.query_params.to_dict(), streams)


def keep_rule(rules: Collection[str]) -> str:
    """The chosen rule if it is among these, else the default one; before its menu is drawn."""
    st.session_state["allocation_rule"] = rule = rule_among(rules, st.session_state["allocation_rule"])
    return rule


def remember_allocation(choice: AllocationChoice, view: AllocationView) -> None:
    """Write the page into the address bar; defaults are left out."""
    write_changes(asdict(choice) | asdict(view), asdict(AllocationChoice()) | asdict(AllocationView()))
