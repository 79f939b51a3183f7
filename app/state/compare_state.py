"""What the Compare page holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, final

import streamlit as st

from app.state.address_bar import lose, write_changes
from app.state.attention_choice import DEVICES, VIEW_CHECKS, AttentionChoice
from app.state.attention_state import MAX_URL_TEXT
from app.state.held import Held, seeded
from app.state.values import View, one_of, passing
from compecon.attention.policies import POLICIES

PARTS = ("text", "dataset", "table")
MAX_IN_TABLE = 6
LAST_GOOD_PAIR: Held[dict[str, Any] | None] = Held("compare_last_good", None)
"""The last pair that was not refused: its picture stays while an error is shown."""
_CHOICE, _NEXT = "compare_choice", "compare_next"
_BETWEEN = "|"  # names of the table's checkpoints in the address

Part: TypeAlias = Literal["text", "dataset", "table"]


@final
@dataclass(frozen=True)
class CompareChoice:
    """Which two checkpoints are compared, and on what."""

    a: str  # name in the catalog
    b: str  # another one
    text: str
    pair: str = ""  # second text, or ""
    policy: str = "top-k"  # key of the policy menu
    device: str = "auto"  # "auto", "cpu", "cuda" or "mps"
    part: Part = "text"  # what is shown: this text, a data set, or a table of checkpoints
    table: tuple[str, ...] = ()  # names of the checkpoints in the table; empty for the page's own choice

    def side(self, name: str) -> AttentionChoice:
        """What one side computes."""
        return AttentionChoice(name, self.device, self.text, self.pair, self.policy)


@final
@dataclass(frozen=True)
class CompareView(View):
    """Where the canvas of the Compare page looks."""

    CANVAS, KEPT = "compare_canvas", "compare_view"
    CHECKS = MappingProxyType({name: check for name, check in VIEW_CHECKS.items() if name != "tiles"})

    k: int = 0  # budget in keys; 0 for the page's own choice
    layer: int | None = None  # layer of the deeper model, from 0; None for the page's own choice
    head: int | None = None  # head, from 0; None likewise
    view: Literal["row", "received"] = "row"
    tokens: Literal["all", "content"] = "all"
    unit: Literal["nats", "bits"] = "nats"
    statistic: str = "gini"  # what colours the head atlases


def choose_pair(a: str, b: str, text: str | None = None, pair: str = "") -> None:
    """Compare these two at the next run of the page, on a text or on the one there is; then open the page."""
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
        st.session_state[f"compare_{name}"] = value


def compare_choice(default: CompareChoice, checkpoints: Collection[str]) -> CompareChoice:
    """What is compared, as the widgets hold it, at first as the address bar says; seeds the widgets."""
    held: CompareChoice = st.session_state.get(_CHOICE) or _in_address(default, checkpoints)
    _put(st.session_state.pop(_NEXT, {}))
    values = seeded("compare", {**asdict(held), "table": list(held.table)})
    for side in ("a", "b"):
        if values[side] not in checkpoints:  # it vanished while the page was open
            lose("compare", "checkpoint", values[side])
            values[side] = st.session_state[f"compare_{side}"] = getattr(default, side)
    table = tuple(name for name in values.pop("table") if name in checkpoints)[:MAX_IN_TABLE]
    st.session_state["compare_table"] = list(table)
    choice = CompareChoice(**values, table=table)
    st.session_state[_CHOICE] = choice
    return choice


def _in_address(default: CompareChoice, checkpoints: Collection[str]) -> CompareChoice:
    given = st.query_params.to_dict()
    allowed = {"a": checkpoints, "b": checkpoints, "policy": POLICIES, "device": DEVICES, "part": PARTS}
    words = passing(given, {name: one_of(names) for name, names in allowed.items()})
    for side in ("a", "b"):
        if side in given and side not in words:
            lose("compare", "checkpoint", given[side])
    if "text" in given or "pair" in given:  # the default's second text belongs to the default's first
        words |= {"text": given.get("text", default.text), "pair": given.get("pair", "")}
    table = tuple(name for name in given.get("table", "").split(_BETWEEN) if name in checkpoints)
    return replace(default, **words, table=table[:MAX_IN_TABLE])


def remember_compare(choice: CompareChoice, view: CompareView, default: CompareChoice) -> None:
    """Write the page into the address bar; defaults are left out, and texts too long for a link."""
    state = asdict(choice) | asdict(view) | {"table": _BETWEEN.join(choice.table)}
    plain = asdict(default) | asdict(CompareView()) | {"table": ""}
    if len(choice.text) + len(choice.pair) > MAX_URL_TEXT:
        del state["text"], state["pair"]
    write_changes(state, plain)
