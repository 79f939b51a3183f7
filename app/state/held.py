"""What a session holds from one run of a page to the next: single values, what widgets hold, where a canvas looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar, final

import streamlit as st

Value = TypeVar("Value")
Check = Callable[[Any], Any]  # returns the value to use, or None


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


@dataclass(frozen=True)
class View:
    """Where a canvas looks, as it reports or an address says: that may be anything, so each field has a check."""

    CANVAS: ClassVar[str]  # key of the component
    KEPT: ClassVar[str] = ""  # key under which it outlasts a visit to another page; "" if it does not
    CHECKS: ClassVar[Mapping[str, Check]]

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Take what passes its check; the rest keeps its default."""
        return cls(**passing(values, cls.CHECKS))

    @classmethod
    def current(cls) -> Self:
        """As the canvas last reported, at first as the address says."""
        reported = getattr(st.session_state.get(cls.CANVAS), "view", None)
        if not isinstance(reported, Mapping):
            kept = st.session_state.get(cls.KEPT) if cls.KEPT else None
            reported = kept or st.query_params.to_dict()
        view = cls.from_mapping(reported)
        if cls.KEPT:
            st.session_state[cls.KEPT] = asdict(view)
        return view


def passing(values: Mapping[str, Any], checks: Mapping[str, Check]) -> dict[str, Any]:
    """The values that pass their checks, as the checks return them."""
    return {name: ok for name, check in checks.items() if (ok := check(values.get(name))) is not None}


def seeded(page: str, held: Mapping[str, Any]) -> dict[str, Any]:
    """What the widgets of a page hold, at first these values; a widget's key is the page and its name."""
    for name, value in held.items():
        st.session_state.setdefault(f"{page}_{name}", value)
    return {name: st.session_state[f"{page}_{name}"] for name in held}
