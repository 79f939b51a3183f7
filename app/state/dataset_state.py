"""What the data set part of the Compare page holds."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.state.compare_state import show_text
from compecon.tasks.task_registry import with_labels

TASK = "compare_measure_task"  # key of the menu of tasks
_ROWS, _ASKED, _ORDER = "compare_listed_rows", "compare_dataset_asked", "compare_label_order"


def list_rows(table: str, texts: Sequence[tuple[str, str]]) -> None:
    """Say what the rows of a table are, before it is drawn.

    Args:
        table: Its key.
        texts: A text and its second one, or "", of each row.
    """
    st.session_state[_ROWS] = (table, tuple(texts))


def take_listed_row() -> None:
    """Compare on the text whose row was pressed; for callbacks."""
    table, texts = st.session_state.get(_ROWS, ("", ()))
    held = st.session_state.get(table)
    rows = list(held["selection"]["rows"]) if held else []
    if rows and rows[0] < len(texts) and texts[rows[0]][0]:
        show_text(*texts[rows[0]])


def hold_asked(said: str) -> None:
    """Keep what became of the last press of the button."""
    st.session_state[_ASKED] = said


def asked() -> str:
    """What went wrong with the last press of the button; "" if nothing did."""
    said: str = st.session_state.get(_ASKED, "")
    return said


def hold_order(names: tuple[str, ...]) -> None:
    """Keep what class 0, 1, ... of the chosen task are called; for callbacks."""
    st.session_state[_ORDER] = (widget(TASK), names)


def task_asked() -> str:
    """The chosen task, with the order of its classes if somebody has said it."""
    task, names = st.session_state.get(_ORDER, ("", ()))
    return with_labels(task, names) if names and task == widget(TASK) else widget(TASK)


def widget(name: str) -> str:
    """The text in a widget of this part, or "" before it was drawn; for callbacks."""
    held = st.session_state.get(name)
    return held.strip() if isinstance(held, str) else ""


def number(name: str, default: int) -> int:
    """The number in a widget of this part; for callbacks."""
    held = st.session_state.get(name)
    return held if isinstance(held, int) else default
