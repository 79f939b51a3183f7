"""What the Compare page holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self, TypeAlias, final

import streamlit as st

from app.state.address_bar import lose, write_address
from app.state.attention_state import DEVICES, MAX_URL_TEXT, VIEW_CHECKS, AttentionChoice
from compecon.attention.policies import POLICIES

COMPARE_CANVAS = "compare_canvas"
PARTS = ("text", "dataset", "table")
MAX_IN_TABLE = 6
_CHOICE, _VIEW, _NEXT = "compare_choice", "compare_view", "compare_next"
_LAST_GOOD = "compare_last_good"
_BETWEEN = "|"  # names of the table's checkpoints in the address

Part: TypeAlias = Literal["text", "dataset", "table"]


@final
@dataclass(frozen=True)
class CompareChoice:
    """Which two checkpoints are compared, and on what.

    Attributes:
        a: Name in the catalog.
        b: Another one.
        text: First text.
        pair: Second text, or "".
        policy: Key of the policy menu.
        device: "auto", "cpu", "cuda" or "mps".
        part: What is shown: this text, a data set, or a table of checkpoints.
        table: Names of the checkpoints in the table; empty for the page's own choice.
    """

    a: str
    b: str
    text: str
    pair: str = ""
    policy: str = "top-k"
    device: str = "auto"
    part: Part = "text"
    table: tuple[str, ...] = ()

    def side(self, name: str) -> AttentionChoice:
        """What one side computes."""
        return AttentionChoice(name, self.device, self.text, self.pair, self.policy)


@final
@dataclass(frozen=True)
class CompareView:
    """Where the canvas of the Compare page looks.

    Attributes:
        k: Budget in keys; 0 for the page's own choice.
        layer: Layer of the deeper model, from 0; None for the page's own choice.
        head: Head, from 0; None likewise.
        view: "row" or "received".
        tokens: "all" or "content".
        unit: "nats" or "bits".
        statistic: What colours the head atlases.
    """

    k: int = 0
    layer: int | None = None
    head: int | None = None
    view: Literal["row", "received"] = "row"
    tokens: Literal["all", "content"] = "all"
    unit: Literal["nats", "bits"] = "nats"
    statistic: str = "gini"

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what passes its check; the rest keeps its default."""
        checks = {each.name: VIEW_CHECKS[each.name] for each in fields(cls)}
        checked = {name: ok for name, check in checks.items() if (ok := check(values.get(name))) is not None}
        return cls(**checked)


def choose_pair(a: str, b: str, text: str | None = None, pair: str = "") -> None:
    """Compare these two at the next run of the page; call it, then open the page.

    Args:
        a: Name in the catalog.
        b: Name in the catalog.
        text: A text to compare them on; None for the one there is.
        pair: Its second text, or "".
    """
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
    """What is compared, as the widgets hold it, at first as the address bar says; seeds the widgets.

    Args:
        default: For what nobody chose.
        checkpoints: Names in the catalog.
    """
    held: CompareChoice = st.session_state.get(_CHOICE) or _in_address(default, checkpoints)
    _put(st.session_state.pop(_NEXT, {}))
    for name, value in asdict(held).items():
        st.session_state.setdefault(f"compare_{name}", list(value) if name == "table" else value)
    values = {name: st.session_state[f"compare_{name}"] for name in asdict(held)}
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
    allowed: Mapping[str, Collection[str]] = {
        "a": checkpoints, "b": checkpoints, "policy": POLICIES, "device": DEVICES, "part": PARTS,
    }  # fmt: skip
    words = {name: given[name] for name, values in allowed.items() if given.get(name) in values}
    for side in ("a", "b"):
        if side in given and side not in words:
            lose("compare", "checkpoint", given[side])
    texts = {name: given[name] for name in ("text", "pair") if name in given}
    if texts:
        texts = {"pair": "", **texts}  # a text of one's own does not stand before the default's second text
    table = tuple(name for name in given.get("table", "").split(_BETWEEN) if name in checkpoints)
    return replace(default, **words, **texts, table=table[:MAX_IN_TABLE])  # type: ignore[arg-type]


def compare_view() -> CompareView:
    """Where its canvas looks: as it last told, at first as the address bar says."""
    told = getattr(st.session_state.get(COMPARE_CANVAS), "view", None)
    held = told if isinstance(told, Mapping) else st.session_state.get(_VIEW, st.query_params.to_dict())
    view = CompareView.from_mapping(held)
    st.session_state[_VIEW] = asdict(view)
    return view


def remember_compare(choice: CompareChoice, view: CompareView, default: CompareChoice) -> None:
    """Write the page into the address bar; defaults are left out, and texts too long for a link."""
    state = {**asdict(choice), **asdict(view), "table": _BETWEEN.join(choice.table)}
    plain = {**asdict(default), **asdict(CompareView()), "table": ""}
    if len(choice.text) + len(choice.pair) > MAX_URL_TEXT:
        del state["text"], state["pair"]
    write_address({name: str(value) for name, value in state.items() if value != plain[name]})


def last_good_pair() -> dict[str, Any] | None:
    """The last pair that was not refused: its picture stays while an error is shown."""
    held: dict[str, Any] | None = st.session_state.get(_LAST_GOOD)
    return held


def hold_pair(request: dict[str, Any]) -> None:
    """Keep a pair as the last good one."""
    st.session_state[_LAST_GOOD] = request
