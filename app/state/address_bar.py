"""The address bar: checks of values read from it, which may be anything, and writing the state of a page there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import streamlit as st

from app.state.held import Check


def integer(value: Any) -> int | None:
    """A whole number of at most four digits, or None."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None


def one_of(allowed: Collection[str]) -> Check:
    """A check that gives back one of these words, or None."""
    return lambda value: value if isinstance(value, str) and value in allowed else None


def up_to(most: float) -> Check:
    """A check that gives back a number from 0 to the most there may be, or None."""

    def check(value: Any) -> float | None:
        try:
            amount = float(str(value))
        except ValueError:
            return None
        return round(amount, 4) if 0 <= amount <= most else None

    return check


def lose(page: str, what: str, name: str) -> None:
    """Keep that something an address names is not available, and another one is shown instead."""
    st.session_state[f"{page}_lost"] = tuple(dict.fromkeys((*lost(page), (what, name))))


def lose_unknown(page: str, known: Mapping[str, Collection[str]]) -> None:
    """Keep which parts of a page's address, by their names, are not among those there are."""
    for what, names in known.items():
        if (given := st.query_params.get(what, "")) and given not in names:
            lose(page, what, given)


def lost(page: str) -> tuple[tuple[str, str], ...]:
    """What the address named and is not available: what it is, and its name."""
    found: tuple[tuple[str, str], ...] = st.session_state.get(f"{page}_lost", ())
    return found


def write_address(params: Mapping[str, str]) -> None:
    """Let the address bar say this and nothing else."""
    if params != st.query_params.to_dict():
        st.query_params.from_dict(params)


def write_changes(state: Mapping[str, Any], plain: Mapping[str, Any]) -> None:
    """Write a page's state into the address bar; what is as plain as by default is left out."""
    write_address({name: str(value) for name, value in state.items() if value != plain[name]})
