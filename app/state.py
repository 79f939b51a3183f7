"""The only file that touches ``st.session_state`` and ``st.query_params``: every key, its type, default and check.

The address bar is the state: what a widget holds is written there, and a link restores it. Values from the address are
anybody's: each is checked, and what does not pass falls back to the default.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self, final

import streamlit as st

from compecon.recipes.policies import POLICIES
from compecon.views.allocation_words import BELIEFS, RULES, Belief
from compecon.views.runs import SIGNS

if TYPE_CHECKING:
    from compecon.checkpoints.hub import DownloadPlan
    from compecon.recipes.fields import Setting
    from compecon.views.form_draft import FormDraft

DEVICES = ("auto", "cpu", "cuda", "mps")
MAX_URL_TEXT = 1_500  # characters; longer texts would make links that mail programs cut
CANVAS_KEY = "canvas"
_LAST_GOOD = "last_good_request"
_NEXT_CHECKPOINT = "next_checkpoint"
_PLAN = "hub_plan"
_ATTENTION = "attention_choice"  # as it was when another page was opened: its widgets' values go with them
_DRAFT, _EDITION = "form_draft", "form_edition"
_RUNS, _LISTED, _NOTICE = "runs_view", "runs_listed", "runs_notice"
RUNS_TABLE = "runs_table"
PARTS = ("overview", "examples", "settings", "log")
_MAX_SEARCH = 100
ALLOCATION_CANVAS = "allocation_canvas"
_ALLOCATION, _ALLOCATION_VIEW = "allocation_choice", "allocation_view"


@final
@dataclass(frozen=True)
class AttentionChoice:
    """What the Attention page computes.

    Attributes:
        checkpoint: Name in the catalog.
        device: "auto", "cpu", "cuda" or "mps".
        text: First text.
        pair: Second text, or "".
        policy: Key of the policy menu.
    """

    checkpoint: str
    device: str
    text: str
    pair: str
    policy: str

    @property
    def digest(self) -> str:
        """Short name of this request; another text, another name."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:16]


@final
@dataclass(frozen=True)
class CanvasView:
    """Where the canvas looks.

    Attributes:
        k: Budget in keys; 0 for the page's own choice.
        layer: Layer, from 0.
        head: Head, from 0.
        view: "row" or "received".
        tokens: "all" or "content".
        unit: "nats" or "bits".
        statistic: What colours the head atlas.
        tiles: "numbers" or "pictures".
    """

    k: int = 0
    layer: int = 0
    head: int = 0
    view: Literal["row", "received"] = "row"
    tokens: Literal["all", "content"] = "all"
    unit: Literal["nats", "bits"] = "nats"
    statistic: str = "gini"
    tiles: Literal["numbers", "pictures"] = "numbers"

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what passes its check; the rest keeps its default."""
        checked = {name: ok for name, check in _CHECKS.items() if (ok := check(values.get(name))) is not None}
        return cls(**checked)


def _integer(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None


def _one_of(*allowed: str) -> Any:
    return lambda value: value if isinstance(value, str) and value in allowed else None


_CHECKS: Mapping[str, Any] = {
    "k": _integer,
    "layer": _integer,
    "head": _integer,
    "view": _one_of("row", "received"),
    "tokens": _one_of("all", "content"),
    "unit": _one_of("nats", "bits"),
    "statistic": _one_of(
        "gini", "gini_small_sample", "entropy", "effective_number", "top_share_10", "bottom_share_50", "herfindahl",
        "gini_inside", "moved",
    ),
    "tiles": _one_of("numbers", "pictures"),
}  # fmt: skip


def attention_choice(default: AttentionChoice, checkpoints: Collection[str]) -> AttentionChoice:
    """The request as the widgets hold it, at first as the address bar says; seeds the widgets."""
    params = st.query_params
    if _NEXT_CHECKPOINT in st.session_state:
        st.session_state["checkpoint"] = st.session_state.pop(_NEXT_CHECKPOINT)
    allowed = {"checkpoint": checkpoints, "device": DEVICES, "policy": POLICIES}
    left: Mapping[str, str] = st.session_state.get(_ATTENTION, {})
    for name, value in asdict(default).items():
        if name not in st.session_state:
            given = params.get(name, left.get(name, value))
            st.session_state[name] = given if name not in allowed or given in allowed[name] else value
    if st.session_state["checkpoint"] not in checkpoints:  # a folder vanished while the page was open
        st.session_state["checkpoint"] = default.checkpoint
    choice = AttentionChoice(**{name: st.session_state[name] for name in asdict(default)})
    st.session_state[_ATTENTION] = asdict(choice)
    return choice


def use_text(text: str, pair: str) -> None:
    """Put a text into the widgets; for callbacks."""
    st.session_state["text"], st.session_state["pair"] = text, pair


def select_checkpoint(key: str) -> None:
    """Choose a checkpoint at the next run; its widget is already drawn in this one."""
    st.session_state[_NEXT_CHECKPOINT] = key


def planned_download() -> DownloadPlan | str | None:
    """What the Hub said last: a plan, or a sentence on why there is none."""
    held: DownloadPlan | str | None = st.session_state.get(_PLAN)
    return held


def hold_plan(plan: DownloadPlan | str | None) -> None:
    """Keep what the Hub said."""
    st.session_state[_PLAN] = plan


def show_example(title: str) -> None:
    """Let the menu of examples say which one is shown; before it is drawn."""
    st.session_state["example"] = title


def chosen(key: str) -> Any:
    """The value of a widget, or None before it was drawn; for callbacks."""
    return st.session_state.get(key)


def canvas_view() -> CanvasView:
    """Where the canvas looks: as it last told, at first as the address bar says."""
    told = getattr(st.session_state.get(CANVAS_KEY), "view", None)
    return CanvasView.from_mapping(told if isinstance(told, Mapping) else st.query_params.to_dict())


def remember(choice: AttentionChoice, view: CanvasView, default: AttentionChoice) -> None:
    """Write the whole state into the address bar; defaults are left out to keep links short."""
    texts = {} if len(choice.text) + len(choice.pair) > MAX_URL_TEXT else {"text": choice.text, "pair": choice.pair}
    state = {**asdict(replace(choice, text="", pair="")), **texts, **asdict(view)}
    plain = {**asdict(default), **asdict(CanvasView())}
    params = {name: str(value) for name, value in state.items() if value != plain[name] and value != ""}
    _write_address(params)


def last_good_request() -> dict[str, Any] | None:
    """The last canvas request that was not refused: its picture stays while an error is shown."""
    held: dict[str, Any] | None = st.session_state.get(_LAST_GOOD)
    return held


def hold_request(request: dict[str, Any]) -> None:
    """Keep a request as the last good one."""
    st.session_state[_LAST_GOOD] = request


# ---- runs


@final
@dataclass(frozen=True)
class RunsView:
    """What the list of runs shows.

    Attributes:
        run: The run that is looked at; "" for the newest.
        words: What is searched for.
        state: A state in a word, or "" for any.
        sweep: A sweep, or "" for any.
        part: Which part of a run is open.
        pages: How many pages of the list are shown.
    """

    run: str = ""
    words: str = ""
    state: str = ""
    sweep: str = ""
    part: str = PARTS[0]
    pages: int = 1


@final
@dataclass(frozen=True)
class Notice:
    """What became of a press of a button.

    Attributes:
        text: A sentence, of anybody's words.
        went_wrong: Whether it is an error.
        deleted: Name of a run that was deleted and can be had back, or "".
    """

    text: str
    went_wrong: bool = False
    deleted: str = ""


def runs_view() -> RunsView:
    """What the list shows, at first as the address bar says."""
    held: RunsView | None = st.session_state.get(_RUNS)
    if held is None:
        held = st.session_state[_RUNS] = _runs_in_address()
    return held


def keep_runs_view(view: RunsView) -> None:
    """Keep what the list shows, in the address too."""
    st.session_state[_RUNS] = view
    _write_address({n: str(v) for n, v in asdict(view).items() if v != getattr(RunsView, n) and n != "pages"})


def _runs_in_address() -> RunsView:
    run, words, state, sweep, part = (
        st.query_params.get(name, "")[:_MAX_SEARCH] for name in ("run", "words", "state", "sweep", "part")
    )
    known = {word for _, word in SIGNS.values()}
    return RunsView(run, words, state if state in known else "", sweep, part if part in PARTS else PARTS[0])


def choose_run(run_id: str) -> None:
    """Look at a run."""
    st.session_state[_RUNS] = replace(runs_view(), run=run_id)


def look_at_sweep(sweep: str) -> None:
    """List the runs of a sweep."""
    st.session_state[_RUNS] = replace(RunsView(), sweep=sweep)


def show_more_runs() -> None:
    """Another page of the list; for callbacks."""
    st.session_state[_RUNS] = replace(runs_view(), pages=runs_view().pages + 1)


def show_table(run_ids: tuple[str, ...], chosen_run: str) -> list[int]:
    """Say what the rows of the table are, before it is drawn, and mark the chosen one; gives back which ones are."""
    st.session_state[_LISTED] = run_ids
    rows = [run_ids.index(chosen_run)] if chosen_run in run_ids else []
    if RUNS_TABLE in st.session_state and _marked_rows() != rows:  # another run, or the same one in another place
        st.session_state[RUNS_TABLE] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    return rows


def take_row() -> None:
    """Look at the run whose row was pressed; for callbacks. To press it again changes nothing."""
    run_ids: tuple[str, ...] = st.session_state.get(_LISTED, ())
    rows = _marked_rows()
    if rows and rows[0] < len(run_ids):
        choose_run(run_ids[rows[0]])


def _marked_rows() -> list[int]:
    held = st.session_state.get(RUNS_TABLE)
    return list(held["selection"]["rows"]) if held else []


def notice() -> Notice | None:
    """What became of the last press of a button."""
    held: Notice | None = st.session_state.get(_NOTICE)
    return held


def hold_notice(said: Notice | None) -> None:
    """Keep what became of a press of a button, until it is put away."""
    st.session_state[_NOTICE] = said


# ---- the form


def form_draft() -> FormDraft | None:
    """The form as it stands, or None while none is open; a reload restores it from the address."""
    if _DRAFT not in st.session_state:
        from compecon.views.form_draft import FormDraft  # noqa: PLC0415 - recipes and tasks: not for the first picture

        st.session_state[_DRAFT] = FormDraft.from_query(st.query_params.to_dict())
    held: FormDraft | None = st.session_state[_DRAFT]
    return held


def open_form(draft: FormDraft) -> None:
    """Open the form, or fill it in anew: its fields begin with what the draft says."""
    st.session_state[_DRAFT] = draft
    st.session_state[_EDITION] = st.session_state.get(_EDITION, 0) + 1


def keep_form(draft: FormDraft) -> None:
    """Keep the form as its fields hold it, in the address too."""
    st.session_state[_DRAFT] = draft
    _write_address(draft.query)


def close_form(run_id: str = "") -> None:
    """Close the form, and look at a run if there is one."""
    st.session_state[_DRAFT] = None
    if run_id:
        choose_run(run_id)


def field_key(setting: Setting | str) -> str:
    """Key of a field of the form; another one once the form was filled in anew."""
    name = setting if isinstance(setting, str) else setting.name
    return f"form-{st.session_state.get(_EDITION, 0)}-{name}"


# ---- the allocation page


@final
@dataclass(frozen=True)
class AllocationChoice:
    """What the Allocation page shares out, and how.

    Attributes:
        stream: Name of a bundled stream or of a mixture, or "file".
        rule: Key of a rule.
        belief: Which curves a rule takes the queries of a mixture to have.
        noise: Error of predicted thresholds, 0 to 1.
        money: Price of a million tokens; 0 to count tokens alone.
        part: What is shown below the canvas.
    """

    stream: str = "sentiment-sizes"
    rule: str = "shadow-price"
    belief: Belief = "chance"
    noise: float = 0.0
    money: float = 0.0
    part: Literal["queries", "rules"] = "queries"


@final
@dataclass(frozen=True)
class AllocationView:
    """Where the canvas of the Allocation page stands.

    Attributes:
        budget: Stop of the bar, from 0.
        query: Place of the chosen query in the stream.
        order: How the queue is sorted.
    """

    budget: int = 20
    query: int = 0
    order: Literal["arrival", "price"] = "arrival"

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what passes its check; the rest keeps its default."""
        checks = {"budget": _integer, "query": _integer, "order": _one_of("arrival", "price")}
        return cls(**{name: ok for name, check in checks.items() if (ok := check(values.get(name))) is not None})


def allocation_choice(streams: Collection[str]) -> AllocationChoice:
    """What is shared out, as the widgets hold it, at first as the address bar says; seeds the widgets."""
    held: AllocationChoice = st.session_state.get(_ALLOCATION) or _allocation_in_address(streams)
    for name, value in asdict(held).items():
        st.session_state.setdefault(f"allocation_{name}", value)
    values = {name: st.session_state[f"allocation_{name}"] for name in asdict(held)}
    choice = AllocationChoice(**values)
    st.session_state[_ALLOCATION] = choice
    return choice


def keep_rule(rules: Collection[str]) -> str:
    """The chosen rule if it is among these, else the first one; before its menu is drawn."""
    if st.session_state["allocation_rule"] not in rules:
        st.session_state["allocation_rule"] = next(iter(rules))
    return str(st.session_state["allocation_rule"])


def _allocation_in_address(streams: Collection[str]) -> AllocationChoice:
    given, plain = st.query_params.to_dict(), AllocationChoice()
    allowed: Mapping[str, Collection[str]] = {
        "stream": streams, "rule": RULES, "belief": BELIEFS, "part": ("queries", "rules"),
    }  # fmt: skip
    words = {name: given[name] for name, values in allowed.items() if given.get(name) in values}
    numbers = {name: _amount(given.get(name, ""), most) for name, most in (("noise", 1.0), ("money", 1e6))}
    known = {name: value for name, value in numbers.items() if value is not None}
    return replace(plain, **words, **known)  # type: ignore[arg-type]


def _amount(text: str, most: float) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return round(value, 4) if 0 <= value <= most else None


def allocation_view() -> AllocationView:
    """Where its canvas stands: as it last told, at first as the address bar says."""
    told = getattr(st.session_state.get(ALLOCATION_CANVAS), "view", None)
    held = told if isinstance(told, Mapping) else st.session_state.get(_ALLOCATION_VIEW, st.query_params.to_dict())
    view = AllocationView.from_mapping(held)
    st.session_state[_ALLOCATION_VIEW] = asdict(view)
    return view


def remember_allocation(choice: AllocationChoice, view: AllocationView) -> None:
    """Write the page into the address bar; defaults are left out."""
    state, plain = {**asdict(choice), **asdict(view)}, {**asdict(AllocationChoice()), **asdict(AllocationView())}
    _write_address({name: str(value) for name, value in state.items() if value != plain[name]})


def _write_address(params: dict[str, str]) -> None:
    if params != st.query_params.to_dict():
        st.query_params.from_dict(params)
