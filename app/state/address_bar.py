"""The address bar: reading values of anybody's from it, and writing the state of a page there."""

from __future__ import annotations

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


def write_address(params: dict[str, str]) -> None:
    """Let the address bar say this and nothing else."""
    if params != st.query_params.to_dict():
        st.query_params.from_dict(params)
