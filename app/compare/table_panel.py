"""Up to six checkpoints in one table: the Compare page's third part."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app.parts.data_table import data_table
from app.parts.widgets import escaped
from app.state.compare_choice import MAX_IN_TABLE, CompareChoice
from compecon.checkpoints.catalog import CheckpointEntry
from compecon.views.compare.checkpoint_table import CompareTable, compare_table, shown_rows, table_csv, table_of_task


def table_part(choice: CompareChoice, entries: Mapping[str, CheckpointEntry]) -> None:
    """Everything below the page's switch."""
    names = choice.table or table_of_task(choice.a, choice.b, entries)
    st.multiselect(
        "Checkpoints, at most six",
        list(entries),
        key="compare_table",
        max_selections=MAX_IN_TABLE,
        format_func=lambda name: entries[name].title or name,
        placeholder="all of the same task",
    )
    table = compare_table([entries[name] for name in names])
    for name, why in table.left_out:
        st.caption(escaped(f"{name} is not in the table: {why}"))
    left, right, _ = st.columns([2, 2, 3], vertical_alignment="bottom")
    sought = left.text_input("Search", key="compare_sought", placeholder="name or value", max_chars=100)
    only = right.toggle("Differences only", value=True, key="compare_differences")
    _rows(table, differences_only=only, sought=sought)


def _rows(table: CompareTable, *, differences_only: bool, sought: str) -> None:
    rows = shown_rows(table, differences_only=differences_only, sought=sought)
    if not rows:
        st.caption("No matching rows.")
        return
    data_table(
        {
            "property": [row.name for row in rows],
            **{title: [row.values[i] for row in rows] for i, title in enumerate(table.columns)},
        },
        height=min(36 * len(rows) + 38, 620),
        column_config={"property": st.column_config.TextColumn(pinned=True)},
        alt="Checkpoints side by side",
    )
    n_rows = f"{len(rows)} of {len(table.rows)} rows"
    st.caption(f"{n_rows}. MACs and parameters are counted; metrics and times were measured.")
    csv = table_csv(table, rows)
    with st.container(horizontal=True):
        st.download_button("CSV", csv, "checkpoints.csv", "text/csv", on_click="ignore", key="compare_csv")
        with st.popover("Copy"):
            st.code(csv, language=None, height=300)
