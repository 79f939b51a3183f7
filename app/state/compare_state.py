"""What the Compare page holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from app.state.address_bar import lose, lose_failing, write_changes
from app.state.attention_state import MAX_URL_TEXT
from app.state.compare_choice import BETWEEN, MAX_IN_TABLE, CompareChoice, CompareView, checks_among
from app.state.held import Held, replace_value, seeded
from compecon.views.attention.example_texts import opening_sizes

LAST_GOOD_PAIR: Held[dict[str, Any] | None] = Held("compare_last_good", None)
"""The last pair that was not refused: its picture stays while an error is shown."""
_CHOICE, _NEXT = "compare_choice", "compare_next"


def choose_pair(a: str, b: str, text: str | None = None, pair: str = "", *, size: float = 1.0) -> None:
    """Compare these two at the next run of the page, on a text or on the one there is; then open the page.

    The size is that of the first one, where it is elastic: a share of its MACs.
    """
    kept = st.session_state.get(CompareView.KEPT, {})
    st.session_state[CompareView.KEPT] = {**kept, "size_a": size, "size_b": 1.0}
    st.session_state[_NEXT] = {"a": a, "b": b, "part": "text", **({} if text is None else {"text": text, "pair": pair})}


def show_text(text: str, pair: str = "") -> None:
    """Compare on this text, both checkpoints as they are; for callbacks of the data set's lists."""
    _put({"text": text, "pair": pair, "part": "text"})


def swap_sides() -> None:
    """A becomes B and B becomes A; for callbacks."""
    held: CompareChoice | None = st.session_state.get(_CHOICE)
    if held is not None:
        _put({"a": held.b, "b": held.a})


def _put(values: Mapping[str, str]) -> None:
    for name, value in values.items():
        replace_value(f"compare_{name}", value)


def compare_choice(
    default: CompareChoice, checkpoints: Collection[str], text_for: Callable[[str, str, str], tuple[str, str]]
) -> CompareChoice:
    """What is compared, as the widgets hold it, at first as the address bar says; seeds the widgets.

    Arguments as of `attention_choice`.
    """
    held: CompareChoice = st.session_state.get(_CHOICE) or _in_address(default, checkpoints)
    _put(st.session_state.pop(_NEXT, {}))
    values = seeded("compare", {**asdict(held), "table": list(held.table)})
    for side in ("a", "b"):
        if values[side] not in checkpoints:  # it vanished while the page was open
            lose("compare", "checkpoint", values[side])
            values[side] = getattr(default, side)
            _put({side: values[side]})
    for side in ("a", "b"):
        texts = dict(zip(("text", "pair"), text_for(values[side], values["text"], values["pair"]), strict=True))
        values |= texts
        _put(texts)
    table = tuple(name for name in values.pop("table") if name in checkpoints)[:MAX_IN_TABLE]
    st.session_state["compare_table"] = list(table)
    choice = CompareChoice(**values, table=table)
    st.session_state[_CHOICE] = choice
    return choice


def _in_address(default: CompareChoice, checkpoints: Collection[str]) -> CompareChoice:
    given = st.query_params.to_dict()
    lose_failing("compare", {**checks_among(checkpoints), **CompareView.CHECKS})
    for name in filter(None, given.get("table", "").split(BETWEEN)):
        if name not in checkpoints:
            lose("compare", "checkpoint", name)
    return default.in_address(given, checkpoints)


def remember_compare(choice: CompareChoice, view: CompareView, default: CompareChoice) -> None:
    """Write the page into the address bar; defaults are left out, and texts too long for a link."""
    state = asdict(choice) | asdict(view) | {"table": BETWEEN.join(choice.table)}
    plain = asdict(default) | asdict(CompareView.from_mapping(opening_sizes(choice.a, choice.b))) | {"table": ""}
    if len(choice.text) + len(choice.pair) > MAX_URL_TEXT:
        del state["text"], state["pair"]
    write_changes(state, plain)
