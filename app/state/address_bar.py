"""The address bar: reading values of anybody's from it, and writing the state of a page there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import streamlit as st


def integer(value: Any) -> int | None:
    """A whole number of at most four digits, or None."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None


def one_of(*allowed: str) -> Any:
    """A check that gives back one of these words, or None."""
    return lambda value: value if isinstance(value, str) and value in allowed else None


def amount(text: str, most: float) -> float | None:
    """A number from 0 to the most there may be, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return round(value, 4) if 0 <= value <= most else None


def lose(page: str, what: str, name: str) -> None:
    """Keep that something an address names is not here, and another one stands in its place."""
    st.session_state[f"{page}_lost"] = tuple(dict.fromkeys((*lost(page), (what, name))))


def lose_unknown(page: str, known: Mapping[str, Collection[str]]) -> None:
    """Keep which parts of the address are not among those there are.

    Args:
        page: Whose address it is.
        known: What each part may be, by its name.
    """
    for what, names in known.items():
        if (given := st.query_params.get(what, "")) and given not in names:
            lose(page, what, given)


def lost(page: str) -> tuple[tuple[str, str], ...]:
    """What the address named and is not here (any more): what it is, and its name."""
    found: tuple[tuple[str, str], ...] = st.session_state.get(f"{page}_lost", ())
    return found


def write_address(params: dict[str, str]) -> None:
    """Let the address bar say this and nothing else."""
    if params != st.query_params.to_dict():
        st.query_params.from_dict(params)
