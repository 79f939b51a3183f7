"""What the data set part of the Compare page holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.state.compare_state import show_text
from app.state.held import replace_value
from compecon.tasks.task_registry import FILES, with_labels

TASK, PATH = "compare_measure_task", "compare_measure_files"  # keys of the menu of tasks, and of own files
ROWS = "compare_dataset_rows"  # name of the menu of rows that were measured
OWN_FILES = "own files"
_ROWS, _ASKED, _ORDER = "compare_listed_rows", "compare_dataset_asked", "compare_label_order"
_AWAITED = "compare_dataset_awaited"


def list_rows(table: str, texts: Sequence[tuple[str, str]]) -> None:
    """Keep the texts (a second one, or "") of the rows of a table, by its key, before it is drawn."""
    st.session_state[_ROWS] = (table, tuple(texts))


def take_listed_row() -> None:
    """Compare on the text whose row was pressed; for callbacks."""
    table, texts = st.session_state.get(_ROWS, ("", ()))
    held = st.session_state.get(table)
    rows = list(held["selection"]["rows"]) if held else []
    if rows and rows[0] < len(texts) and texts[rows[0]][0]:
        show_text(*texts[rows[0]])


def hold_asked(said: str) -> None:
    """Keep the outcome of the last press of the button."""
    st.session_state[_ASKED] = said


def asked() -> str:
    """What went wrong with the last press of the button; "" if nothing did."""
    said: str = st.session_state.get(_ASKED, "")
    return said


def await_rows(params: Mapping[str, Any]) -> None:
    """Keep which rows are to be shown once both checkpoints were measured on them; for callbacks."""
    st.session_state[_AWAITED] = dict(params)


def awaited_rows() -> Mapping[str, Any] | None:
    """The settings of the runs whose rows are to be shown; None if none are awaited."""
    found: Mapping[str, Any] | None = st.session_state.get(_AWAITED)
    return found


def choose_rows(name: str) -> None:
    """Choose rows in the menu before it is drawn, and wait for none any more."""
    replace_value(ROWS, name)
    st.session_state.pop(_AWAITED, None)


def hold_order(names: tuple[str, ...]) -> None:
    """Keep what class 0, 1, ... of the chosen task are called; for callbacks."""
    st.session_state[_ORDER] = (_named(), names)


def task_asked() -> str:
    """The chosen task, with the order of its classes if it was given; "" for own files without a name."""
    task, names = st.session_state.get(_ORDER, ("", ()))
    return with_labels(task, names) if names and task == _named() else _named()


def _named() -> str:
    if widget(TASK) != OWN_FILES:
        return widget(TASK)
    return f"{FILES}{widget(PATH)}" if widget(PATH) else ""


def widget(name: str) -> str:
    """The text in a widget of this part, or "" before it was drawn; for callbacks."""
    held = st.session_state.get(name)
    return held.strip() if isinstance(held, str) else ""


def number(name: str, default: int) -> int:
    """The number in a widget of this part; for callbacks."""
    held = st.session_state.get(name)
    return held if isinstance(held, int) else default
