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


def seeded(page: str, held: Mapping[str, Any]) -> dict[str, Any]:
    """What the widgets of a page hold, at first these values; a widget's key is the page and its name."""
    for name, value in held.items():
        st.session_state.setdefault(f"{page}_{name}", value)
    return {name: st.session_state[f"{page}_{name}"] for name in held}
