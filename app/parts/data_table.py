"""Tables that can be sorted, searched and downloaded: Streamlit's, guarded like every CSV file that is written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from compecon.files.csv_writer import guarded


def data_table(columns: Mapping[str, Sequence[Any]], **options: Any) -> Any:
    """Show a table; cells without a value are empty.

    Its built-in "Download as CSV" writes cells as they are, so none may begin like a formula.


    Args:
        columns: Cells by the name of their column.
        **options: For `st.dataframe`.

    Returns:
        What `st.dataframe` returns.
    """
    safe = {guarded(name): [guarded(cell) for cell in cells] for name, cells in columns.items()}
    return st.dataframe(safe, hide_index=True, placeholder="", **options)
