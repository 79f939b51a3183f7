"""What the whole server shares: made once, never changed by a page. The only file with Streamlit's caches."""

from __future__ import annotations

import streamlit as st

from compecon.checkpoints.catalog import CheckpointEntry, list_checkpoints
from compecon.paths import assets
from compecon.views.examples import Example, examples_for
from compecon.views.traces import read_index, read_trace

@st.cache_data(ttl=10, show_spinner=False)
def checkpoints() -> dict[str, CheckpointEntry]:
    """Every checkpoint that can be chosen: bundled, in the user's folders, in the Hub's cache.

    Returns:
        What ``load_checkpoint`` takes (a bundled name or a folder) to what is known of it.
    """
    return {e.name if e.origin == "bundled" else str(e.path): e for e in list_checkpoints()}


@st.cache_data(show_spinner=False)
def bundled_examples(checkpoint: str) -> tuple[Example, ...]:
    """Good texts for a checkpoint."""
    return examples_for(checkpoint)


@st.cache_data(show_spinner=False)
def trace_names() -> frozenset[str]:
    """Names of the recorded streams."""
    return frozenset(read_index())


@st.cache_data(max_entries=32, show_spinner=False)
def recorded_trace(name: str) -> bytes | None:
    """A recorded stream."""
    return read_trace(name)


@st.cache_data(show_spinner=False)
def canvas_part(file: str) -> str:
    """Markup or style of the live canvas."""
    return (assets() / "canvas" / file).read_text(encoding="utf-8")
