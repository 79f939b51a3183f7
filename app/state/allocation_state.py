"""What a session holds of the Allocation page."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict

import streamlit as st

from app.state.address_bar import lose, lose_failing, write_changes
from app.state.allocation_choice import AllocationChoice, AllocationView, checks_among, rule_among
from app.state.held import seeded

_CHOICE = "allocation_choice"
_ASKED = "allocation_asked"  # the rule of an address that was just opened; "" later


def allocation_choice(streams: Collection[str]) -> AllocationChoice:
    """What is allocated, as the widgets hold it, at first as the address bar says; seeds the widgets."""
    is_first = _CHOICE not in st.session_state
    held: AllocationChoice = _in_address(streams) if is_first else st.session_state[_CHOICE]
    st.session_state[_ASKED] = held.rule if is_first else ""
    choice = AllocationChoice(**seeded("allocation", asdict(held)))
    st.session_state[_CHOICE] = choice
    return choice


def _in_address(streams: Collection[str]) -> AllocationChoice:
    lose_failing("allocation", {**checks_among(streams), **AllocationView.CHECKS})
    return AllocationChoice.from_mapping(st.query_params.to_dict(), streams)


def keep_rule(rules: Collection[str]) -> str:
    """The chosen rule if it is among these, else the default one; before its menu is drawn."""
    st.session_state["allocation_rule"] = rule = rule_among(rules, st.session_state["allocation_rule"])
    if (asked := st.session_state[_ASKED]) not in ("", rule):
        lose("allocation", "rule", asked)
    return rule


def lose_beyond(view: AllocationView, most: AllocationView) -> None:
    """Keep which places of an address that was just opened lie beyond the last ones that there are."""
    if not st.session_state[_ASKED]:
        return
    for name in ("budget", "query"):
        if (asked := getattr(view, name)) > getattr(most, name):
            lose("allocation", name, str(asked))


def remember_allocation(choice: AllocationChoice, view: AllocationView) -> None:
    """Write the page into the address bar; defaults are left out."""
    write_changes(asdict(choice) | asdict(view), asdict(AllocationChoice()) | asdict(AllocationView()))
