"""The address bar: what it names that is not available, and writing the state of a page there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.state.held import Held
from app.state.old_names import renewed
from app.state.values import Check

# What parts of addresses are called on the screen, where that is another word.
_NOUNS = {"k": "budget", "keys": "budget", "a": "checkpoint", "b": "checkpoint", "x": "cost", "y": "quality"}
_RENEWED: Held[tuple[str, ...]] = Held("renewed_names", ())


def lose(page: str, what: str, name: str) -> None:
    """Keep that something an address names is not available, and another one is shown instead."""
    st.session_state[f"{page}_lost"] = tuple(dict.fromkeys((*lost(page), (what, name))))


def lose_failing(page: str, checks: Mapping[str, Check]) -> None:
    """Keep which parts of a page's address, by their names, do not pass their checks."""
    for name, check in checks.items():
        if (given := st.query_params.get(name, "")) and check(given) is None:
            lose(page, _NOUNS.get(name, name), given)


def lost(page: str) -> tuple[tuple[str, str], ...]:
    """What the address named and is not available: what it is, and its name."""
    found: tuple[tuple[str, str], ...] = st.session_state.get(f"{page}_lost", ())
    return found


def renew_names() -> tuple[str, ...]:
    """Let the address bar name what takes the place of what earlier versions bundled, and say what was replaced."""
    address, told = renewed(st.query_params.to_dict())
    write_address(address)
    _RENEWED.put(tuple(dict.fromkeys((*_RENEWED.get(), *told))))
    return _RENEWED.get()


def write_address(params: Mapping[str, str]) -> None:
    """Let the address bar say this and nothing else."""
    if params != st.query_params.to_dict():
        st.query_params.from_dict(params)


def write_changes(state: Mapping[str, Any], plain: Mapping[str, Any]) -> None:
    """Write a page's state into the address bar; what is as plain as by default is left out."""
    write_address({name: str(value) for name, value in state.items() if value != plain[name]})
