"""The way from the Attention page to the Compare page."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app.parts.widgets import escaped
from app.state.attention_choice import AttentionChoice, CanvasView
from app.state.compare_state import choose_pair
from compecon.checkpoints.catalog import CheckpointEntry
from compecon.paths import dashboard_root
from compecon.views.compare.pair import partner


def compare_button(choice: AttentionChoice, entries: Mapping[str, CheckpointEntry]) -> None:
    """A button that compares the checkpoint shown with its nearest relative on the same text, if there is one."""
    other = partner(choice.checkpoint, entries)
    if not other:
        return
    beside = escaped(f"On this text, next to {entries[other].title or other}. You can choose another model there.")
    if st.button("Send to Compare", help=beside, width="stretch", key="attention-compare"):
        choose_pair(choice.checkpoint, other, choice.text, choice.pair, size=CanvasView.current().size)
        st.switch_page(dashboard_root() / "pages" / "compare.py")
