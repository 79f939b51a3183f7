"""What a session holds from one run of a page to the next: single values, and what widgets hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, final

import streamlit as st

Value = TypeVar("Value")


@final
@dataclass(frozen=True)
class Held(Generic[Value]):
    """A value under a key of the session, and what it is before anything was put there."""

    key: str
    default: Value

    def get(self) -> Value:
        """The value."""
        value: Value = st.session_state.get(self.key, self.default)
        return value

    def put(self, value: Value) -> None:
        """Keep another one; for callbacks too."""
        st.session_state[self.key] = value


def widget_key(name: str) -> str:
    """Key of a widget whose value the page may replace: another one after each replacement.

    Until a browser has heard of a replacement, whatever it reports tells the old value too. Were that of the same
    widget, it would look like a person's choice and undo the replacement.
    """
    n_replaced = st.session_state.get(f"{name}_replaced", 0)
    return f"{name}-{n_replaced}" if n_replaced else name


def replace_value(name: str, value: Any) -> None:
    """Let a widget hold another value; before it is drawn, and for callbacks."""
    held = st.session_state.get(widget_key(name))
    if held == value:
        return
    if held is not None:
        st.session_state[f"{name}_replaced"] = st.session_state.get(f"{name}_replaced", 0) + 1
    st.session_state[widget_key(name)] = value


def seeded(page: str, held: Mapping[str, Any]) -> dict[str, Any]:
    """What the widgets of a page hold, at first these values; a widget is called as the page and its name."""
    keys = {name: widget_key(f"{page}_{name}") for name in held}
    for name, value in held.items():
        st.session_state.setdefault(keys[name], value)
    return {name: st.session_state[key] for name, key in keys.items()}
