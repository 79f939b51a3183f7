"""Which class is which output: asked of the person where neither the table nor the model says it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.parts.widgets import escaped
from compecon.tasks.labels import LabelDoubtError, numbers_of


def label_order(doubt: LabelDoubtError, key: str, use: Callable[[tuple[str, ...]], None]) -> None:
    """Show what may be which, and let it be chosen.

    Args:
        doubt: What is not known.
        key: Begins the keys of the fields.
        use: Is called with the names of class 0, 1, ... once they were chosen.
    """
    st.warning(escaped(f"{doubt.doubt[:1].upper()}{doubt.doubt[1:]}"))
    is_output = bool(numbers_of(doubt.offered))
    fixed = doubt.offered if is_output else doubt.wanted
    chosen = []
    for place, name in enumerate(fixed):
        what = f"Output {place} ({name}) is" if is_output else f"Class {name} in the table is"
        chosen.append(st.selectbox(escaped(what), doubt.names, index=place, key=f"{key}-{place}"))
    is_whole = len(set(chosen)) == len(chosen)
    if not is_whole:
        st.caption("Use each name once.")
    st.button("Use this order", key=f"{key}-use", disabled=not is_whole, on_click=use, args=(tuple(chosen),))
