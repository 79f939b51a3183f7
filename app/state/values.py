"""Values that anybody may have written, checked: of an address, and of where a canvas looks. Loads no Streamlit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Self

MOST = 9_999  # of a whole number in an address
Check = Callable[[Any], Any]  # gives back the value to use, or None


def integer(value: Any) -> int | None:
    """A whole number up to `MOST`, or None."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(MOST)) else None


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


def share(value: Any) -> float | None:
    """A number above 0 and up to 1, or None."""
    try:
        amount = float(str(value))
    except ValueError:
        return None
    return amount if 0 < amount <= 1 else None


@dataclass(frozen=True)
class View:
    """Where a canvas looks, as it reports or an address says: anybody's values, so each field has a check."""

    CANVAS: ClassVar[str]  # key of the component
    KEPT: ClassVar[str] = ""  # key under which it outlasts a visit to another page; "" if it does not
    CHECKS: ClassVar[Mapping[str, Check]]

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Take what passes its check; the rest keeps its default."""
        return cls(**passing(values, cls.CHECKS))

    @classmethod
    def current(cls, default: Mapping[str, Any] = MappingProxyType({})) -> Self:
        """As the canvas last reported, at first as the address says; where it says nothing, the default."""
        import streamlit as st  # noqa: PLC0415 - the first page reads addresses without it

        reported = getattr(st.session_state.get(cls.CANVAS), "view", None)
        if not isinstance(reported, Mapping):
            kept = st.session_state.get(cls.KEPT) if cls.KEPT else None
            reported = kept or {**default, **st.query_params.to_dict()}
        view = cls.from_mapping(reported)
        if cls.KEPT:
            st.session_state[cls.KEPT] = asdict(view)
        return view


def passing(values: Mapping[str, Any], checks: Mapping[str, Check]) -> dict[str, Any]:
    """The values that pass their checks, as the checks give them back."""
    return {name: ok for name, check in checks.items() if (ok := check(values.get(name))) is not None}
