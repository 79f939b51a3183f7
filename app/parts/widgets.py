"""Pieces of screen: they draw and decide nothing. Text of users or models never reaches markdown unescaped."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import streamlit as st

from app.models.model_processes import models
from app.server.resources import bundled_examples, checkpoints
from app.state.address_bar import lost
from app.state.attention_choice import DEVICES
from app.state.attention_state import chosen, count_entered, use_text
from app.state.held import widget_key
from compecon.attention.policies import POLICIES
from compecon.checkpoints.catalog import CheckpointEntry
from compecon.registry import read_installed
from compecon.views.attention.example_texts import Example
from compecon.views.attention.preflight_lines import report_lines

OWN_FILES_HELP = (
    "A CSV, TSV, JSON lines or Parquet file, or a folder of them called train, dev and test. Columns are named text "
    "and label unless given; further settings: pair, kind, labels, encoding, seed."
)


def escaped(text: str) -> str:
    """Text that Streamlit's markdown shows letter by letter: no pictures, links, icons or formulas."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~:$&])", r"\\\1", text).replace("\n", " ")


def lost_part(page: str) -> None:
    """Warn of what the address named and is not available, so that it is not taken for what is shown."""
    for what, name in lost(page):
        st.warning(escaped(f"The {what} {name[:80]!r} is not available. Another one is shown instead."))


def controls() -> None:
    """What the page computes: checkpoint, text, policy, device. Values live in the widgets' state."""
    entries = checkpoints()
    st.selectbox(
        "Checkpoint",
        list(entries),
        key=widget_key("checkpoint"),
        format_func=lambda n: checkpoint_title(entries[n]),
        on_change=_first_example,
    )
    entry = entries.get(chosen("checkpoint") or "")
    if entry is not None and entry.limits:
        st.caption(escaped(entry.limits))
    texts = bundled_examples(chosen("checkpoint") or "")
    examples_menu(texts, (chosen("text"), chosen("pair")), use_text)
    takes_pairs = entry is None or entry.preflight is None or entry.preflight.kind != "causal-lm"
    text_fields(is_pair=takes_pairs or bool(chosen("pair")))
    policy_controls()


def examples_menu(
    texts: Sequence[Example], shown: tuple[str, str], use: Callable[[str, str], None], prefix: str = ""
) -> None:
    """The bundled texts, one click away; which one of them is shown, if any."""
    found = {each.title: (each.text, each.pair) for each in texts}
    title = next((title for title, each in found.items() if each == shown), "my own text")
    key = f"{prefix}example"
    st.menu_button(
        escaped(f"Example: {title}"),
        list(found),
        format_func=escaped,
        key=key,
        on_click=lambda: use(*found.get(chosen(key), shown)),
        width="stretch",
    )


def text_fields(prefix: str = "", *, is_pair: bool = True) -> None:
    """Fields for a text, and for a second one, in widgets whose keys begin with the prefix; the canvas knows them."""
    st.text_area("Text", key=widget_key(f"{prefix}text"), height=120, on_change=count_entered)
    if is_pair:
        st.text_area("Second text, for a pair", key=widget_key(f"{prefix}pair"), height=68, on_change=count_entered)


def policy_controls(prefix: str = "") -> None:
    """Policy and device, in widgets whose keys begin with the prefix."""
    st.selectbox(
        "Which tokens may be read when keys are scarce",
        list(POLICIES),
        key=f"{prefix}policy",
        format_func=lambda p: POLICIES[p].label,
    )
    method_problems()
    st.selectbox("Device", DEVICES, key=f"{prefix}device", help="auto uses CUDA or MPS if available.")


def method_problems() -> None:
    """Which methods of installed packages are in no menu, and why."""
    for sentence in read_installed():
        st.warning(escaped(sentence))


def checkpoint_title(entry: CheckpointEntry) -> str:
    """A checkpoint in a menu."""
    return f"{entry.title or entry.name}{' (cannot be opened)' if entry.problem else ''}"


def _first_example() -> None:
    """Another task, another text: the first example of the new checkpoint."""
    first = bundled_examples(chosen("checkpoint") or "")[0]
    use_text(first.text, first.pair)


def checkpoint_report(entry: CheckpointEntry) -> None:
    """What is known of the checkpoint before it is loaded."""
    with st.expander("About this checkpoint"):
        st.text("\n".join(report_lines(entry)))
        if st.button(
            "Unload models from memory", help="Frees the memory of loaded models. The next text loads its model again."
        ):
            n_models = models().unload()
            st.toast("1 model unloaded." if n_models == 1 else f"{n_models} models unloaded.")
