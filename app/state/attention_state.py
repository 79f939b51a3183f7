"""What the Attention page holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.state.address_bar import lose, lose_failing, write_changes
from app.state.attention_choice import DEVICES, VIEW_CHECKS, AttentionChoice, CanvasView
from app.state.held import Held, replace_value, widget_key
from app.state.values import one_of
from compecon.attention.policies import POLICIES

if TYPE_CHECKING:
    from compecon.checkpoints.hub_download import DownloadPlan

MAX_URL_TEXT = 1_500  # characters; longer texts would make links that mail programs cut
LAST_GOOD: Held[dict[str, Any] | None] = Held("last_good_request", None)
"""The last canvas request that was not refused: its picture stays while an error is shown."""
PLAN: Held[DownloadPlan | str | None] = Held("hub_plan", None)
"""The Hub's last answer: what would be downloaded, or a sentence on why nothing can be."""
N_ENTERED: Held[int] = Held("n_entered", 0)
"""How often a person has entered a text: so a canvas that shows one at once knows which run has heard of it."""
_NEXT_CHECKPOINT = "next_checkpoint"
_ATTENTION = "attention_choice"  # as it was when another page was opened: its widgets' values go with them


def attention_choice(
    default: AttentionChoice, checkpoints: Collection[str], text_for: Callable[[str, str, str], tuple[str, str]]
) -> AttentionChoice:
    """The request as the widgets hold it, at first as the address bar says; seeds the widgets.

    Args:
        default: What is shown at an empty address.
        checkpoints: Names of those there are.
        text_for: Takes a checkpoint's name, a text and a second one, and gives back the texts to show instead.
    """
    params = st.query_params
    if _NEXT_CHECKPOINT in st.session_state:
        replace_value("checkpoint", st.session_state.pop(_NEXT_CHECKPOINT))
    allowed = {"checkpoint": checkpoints, "device": DEVICES, "policy": POLICIES}
    left: Mapping[str, str] = st.session_state.get(_ATTENTION, {})
    keys = {name: widget_key(name) for name in asdict(default)}
    if keys["checkpoint"] not in st.session_state:
        lose_failing("attention", {**{name: one_of(names) for name, names in allowed.items()}, **VIEW_CHECKS})
    for name, value in asdict(default).items():
        if keys[name] not in st.session_state:
            given = params.get(name, left.get(name, value))
            st.session_state[keys[name]] = given if name not in allowed or given in allowed[name] else value
    if (gone := chosen("checkpoint")) not in checkpoints:  # a folder vanished while the page was open
        lose("attention", "checkpoint", gone)
        replace_value("checkpoint", default.checkpoint)
    use_text(*text_for(chosen("checkpoint"), chosen("text"), chosen("pair")))
    choice = AttentionChoice(**{name: chosen(name) for name in asdict(default)})
    st.session_state[_ATTENTION] = asdict(choice)
    return choice


def use_text(text: str, pair: str) -> None:
    """Put a text into the widgets; for callbacks."""
    replace_value("text", text)
    replace_value("pair", pair)


def count_entered() -> None:
    """A person has entered a text; for callbacks."""
    N_ENTERED.put(N_ENTERED.get() + 1)


def read_beginning() -> None:
    """Take the beginning of a long text that the canvas offered, in place of the whole; for callbacks."""
    said = st.session_state.get(CanvasView.CANVAS) or {}
    beginning = said.get("beginning")
    if isinstance(beginning, str) and len(beginning) <= len(chosen("text") or ""):
        use_text(beginning, "")


def select_checkpoint(key: str) -> None:
    """Choose a checkpoint at the next run; its widget is already drawn in this one."""
    st.session_state[_NEXT_CHECKPOINT] = key


def chosen(name: str) -> Any:
    """The value of a widget, or None before it was drawn; for callbacks."""
    return st.session_state.get(widget_key(name))


def remember(choice: AttentionChoice, view: CanvasView, default: AttentionChoice) -> None:
    """Write the whole state into the address bar; defaults are left out to keep links short."""
    texts = {} if len(choice.text) + len(choice.pair) > MAX_URL_TEXT else {"text": choice.text, "pair": choice.pair}
    state = {**asdict(replace(choice, text="", pair="")), **texts, **asdict(view)}
    plain = asdict(default) | asdict(CanvasView())
    write_changes({name: value for name, value in state.items() if value != ""}, plain)
