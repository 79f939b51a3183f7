"""The Compare page: what is compared, the canvas of a text, and the two other parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from app.compare.dataset_panel import dataset_part
from app.compare.table_panel import table_part
from app.parts.canvas import canvas_component
from app.parts.widgets import checkpoint_title, escaped, examples_menu, lost_part, policy_controls, text_fields
from app.server.guard import page_token
from app.server.pair_request import default_pair, pair_request
from app.server.resources import bundled_examples, checkpoints
from app.state.attention_state import N_ENTERED
from app.state.compare_choice import CompareChoice, CompareView
from app.state.compare_state import LAST_GOOD_PAIR, compare_choice, remember_compare, show_text, swap_sides
from app.state.held import widget_key
from compecon.checkpoints.catalog import CheckpointEntry
from compecon.views.attention.example_texts import opening_sizes
from compecon.views.attention.request import text_for
from compecon.views.compare.pair import pair_problem

_PARTS = {"text": "This text", "dataset": "Dataset", "table": "Table"}
_NOTHING: dict[str, Any] = {"id": "", "a": None, "b": None, "text": "", "pair": "", "notes": []}


def compare_page() -> None:
    """Everything on the page."""
    entries = checkpoints()
    default = default_pair(entries)
    choice = compare_choice(default, entries, lambda name, *texts: text_for(entries.get(name), *texts))
    view = CompareView.current(opening_sizes(choice.a, choice.b))
    lost_part("compare")
    st.segmented_control(
        "Compare on", _PARTS, format_func=_PARTS.__getitem__, key=widget_key("compare_part"), required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    if choice.part == "dataset":
        dataset_part(choice)
    elif choice.part == "table":
        table_part(choice, entries)
    else:
        _canvas(choice, view, entries)
    with st.sidebar:
        _controls(choice, entries)
    remember_compare(choice, view, default)


# ---- the canvas


def _canvas(choice: CompareChoice, view: CompareView, entries: Mapping[str, CheckpointEntry]) -> None:
    """Draw the canvas for a pair; with an error, the last good picture under a sentence."""
    a, b = entries.get(choice.a), entries.get(choice.b)
    error = pair_problem(a, b, choice.text, choice.pair)
    if a is None or b is None or error:
        request = LAST_GOOD_PAIR.get() or _NOTHING
    else:
        request = pair_request(choice, a, b)
        LAST_GOOD_PAIR.put(request)
    component = canvas_component("compare", styles=("canvas.css",))
    heard = {"error": error, "n_entered": N_ENTERED.get()}
    data = {**request, "token": page_token(), "view": asdict(view), **heard}
    component(data=data, key=CompareView.CANVAS, on_view_change=lambda: None, on_swap_change=swap_sides)


# ---- the controls


def _controls(choice: CompareChoice, entries: Mapping[str, CheckpointEntry]) -> None:
    """What is compared: two checkpoints, and for a text the text, policy and device."""
    st.markdown(f"**compecon** · {escaped('two checkpoints side by side')}")
    if choice.part == "table":
        return
    for side in "AB":
        key = widget_key(f"compare_{side.lower()}")
        st.selectbox(escaped(side), list(entries), key=key, format_func=lambda name: checkpoint_title(entries[name]))
    for limits in dict.fromkeys(entries[name].limits for name in (choice.a, choice.b) if name in entries):
        if limits:
            st.caption(escaped(limits))
    if choice.part == "text":
        _text_controls(choice)


def _text_controls(choice: CompareChoice) -> None:
    examples_menu(bundled_examples(choice.a), (choice.text, choice.pair), show_text, "compare_")
    text_fields("compare_")
    policy_controls("compare_")
