"""Two checkpoints over the examples of a task: the Compare page's second part."""

from __future__ import annotations

import streamlit as st

from app.state.compare import CompareChoice


def dataset_part(choice: CompareChoice) -> None:
    """Everything below the page's switch.

    Args:
        choice: Which two checkpoints.
    """
    del choice
    st.caption("Statistics over a data set have not been computed for this pair.")
