"""Rows that tell two checkpoints apart; a click on one compares the two on its text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app.compare.shared_measurements import find_texts, last_folder, texts_at_hand
from app.parts.data_table import data_table
from app.parts.widgets import escaped
from app.state.dataset_state import asked, hold_asked, list_rows, take_listed_row, widget
from compecon.errors import CompeconError
from compecon.evaluation.row_records import RowStatistics
from compecon.views.compare.paired_rows import DatasetView
from compecon.views.compare.telling_rows import LISTED, LISTS, ListedRow, listed_rows

_FOLDER = "compare_dataset_folder"


def lists_part(a: RowStatistics, b: RowStatistics, view: DatasetView) -> None:
    """A menu of lists and the one that is chosen."""
    st.markdown("**Rows**")
    which = st.selectbox(
        "Show the rows that",
        list(LISTS),
        format_func=LISTS.__getitem__,
        key="compare_dataset_list",
        label_visibility="collapsed",
    )
    texts = texts_at_hand(a)
    rows = listed_rows(a, b, which, texts)
    if rows:
        _table(which, rows, a, has_texts=bool(texts))
    else:
        st.caption("None.")
    if not texts:
        _folder(a)
    elif rows:
        st.caption("Click a row to compare the two on its text.")
    if which == "disagree" and view.n_disagree > LISTED:
        st.caption(escaped(f"{LISTED} of {view.n_disagree} such rows, largest difference first."))


def _table(which: str, rows: Sequence[ListedRow], a: RowStatistics, *, has_texts: bool) -> None:
    key = f"compare-rows-{which}-{a.key.rows_digest}"
    words = {"text": [row.text for row in rows], "second text": [row.pair for row in rows]}
    shown = {name: cells for name, cells in words.items() if any(cells)}
    list_rows(key, [(row.text, row.pair) for row in rows])
    number = st.column_config.NumberColumn(format="%.3f", width=75)
    data_table(
        {
            "row": [row.row for row in rows],
            **shown,
            "right": [row.target for row in rows],
            "A says": [row.said_a for row in rows],
            "B says": [row.said_b for row in rows],
            "Gini A": [row.gini_a for row in rows],
            "Gini B": [row.gini_b for row in rows],
            "A flips at": [_flip(row.flip_a) for row in rows],
            "B flips at": [_flip(row.flip_b) for row in rows],
            "tokens": [row.tokens for row in rows],
        },
        height=320,
        column_config={
            "text": st.column_config.TextColumn(width="large"),
            "second text": st.column_config.TextColumn(width="medium"),
            "Gini A": number,
            "Gini B": number,
            "A flips at": st.column_config.TextColumn(help="Largest budget at which A's prediction changes."),
            "B flips at": st.column_config.TextColumn(help="Largest budget at which B's prediction changes."),
        },
        key=key,
        on_select=take_listed_row if has_texts else "ignore",
        selection_mode="single-row",
        alt="Rows of the task",
    )


def _flip(keys: int) -> str:
    return f"{keys} key{'s' if keys > 1 else ''}" if keys else "never"


def _folder(found: RowStatistics) -> None:
    """Ask where the texts are: data of others is not part of compecon."""
    st.caption(
        "The texts of this task are not part of compecon: we may not redistribute them. Where is the data folder?"
    )
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    left.text_input("Data folder", value=last_folder(found.key.task), key=_FOLDER, max_chars=1000)
    right.button("Show texts", on_click=_look, args=(found,), width="stretch", key="compare-texts")
    if asked():
        st.error(escaped(asked()))


def _look(found: RowStatistics) -> None:
    folder = widget(_FOLDER)
    if not folder or not Path(folder).expanduser().is_dir():
        hold_asked(f"{folder!r} is not a folder on this machine." if folder else "Give a folder.")
        return
    try:
        find_texts(found, folder)
        hold_asked("")
    except (CompeconError, OSError, ValueError) as error:
        hold_asked(str(error))
