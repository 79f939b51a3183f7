"""What the list of runs holds."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import asdict, dataclass, replace
from typing import final

import streamlit as st

from app.state.address_bar import lose, write_changes
from app.state.held import Held
from compecon.views.runs.run_columns import SORTS
from compecon.views.runs.run_rows import SIGNS

_RUNS, _ASKED_SWEEP = "runs_view", "runs_asked_sweep"
RUNS_TABLE = "runs_table"
PARTS = ("overview", "examples", "settings", "log")
_MAX_SEARCH = 100
# Words of states in addresses of earlier versions.
_OLD_WORDS = {"waiting": "queued", "done": "succeeded", "stopped": "cancelled", "interrupted": "lost"}


@final
@dataclass(frozen=True)
class RunsView:
    """What the list of runs shows."""

    run: str = ""  # the open run; "" for the newest
    words: str = ""  # search text
    state: str = ""  # a state in a word, or "" for any
    sweep: str = ""  # a sweep, or "" for any
    part: str = PARTS[0]  # which part of a run is open
    sort: str = ""  # what the list is sorted by, one of `SORTS`; "" for the newest first
    pages: int = 1  # how many pages of the list are shown


@final
@dataclass(frozen=True)
class Notice:
    """The outcome of pressing a button."""

    text: str  # a sentence; may contain text from outside
    went_wrong: bool = False  # whether it is an error
    deleted: str = ""  # name of a deleted run that can be restored, or ""


NOTICE: Held[Notice | None] = Held("runs_notice", None)
"""The outcome of the last press of a button, until it is dismissed."""


def runs_view() -> RunsView:
    """What the list shows, at first as the address bar says."""
    held: RunsView | None = st.session_state.get(_RUNS)
    if held is None:
        held = st.session_state[_RUNS] = _runs_in_address()
    return held


def keep_runs_view(view: RunsView) -> None:
    """Keep what the list shows, in the address too."""
    st.session_state[_RUNS] = view
    write_changes(asdict(replace(view, pages=1)), asdict(RunsView()))


def _runs_in_address() -> RunsView:
    run, words, state, sweep, part, sort = (
        st.query_params.get(name, "")[:_MAX_SEARCH] for name in ("run", "words", "state", "sweep", "part", "sort")
    )
    known = {word for _, word in SIGNS.values()}
    state = _OLD_WORDS.get(state, state)
    for name, value, all_known in (("state", state, known), ("part", part, PARTS), ("sort", sort, SORTS)):
        if value and value not in all_known:
            lose("train", name, value)
    part, sort = part if part in PARTS else PARTS[0], sort if sort in SORTS else ""
    st.session_state[_ASKED_SWEEP] = sweep
    return RunsView(run, words, state if state in known else "", sweep, part, sort)


def lose_run(run_id: str) -> None:
    """Keep that the open run is gone, unless it was just deleted here, and open the newest one."""
    said = NOTICE.get()
    if said is None or said.deleted != run_id:
        lose("train", "run", run_id)
    keep_runs_view(replace(runs_view(), run=""))


def check_sweep(known: Container[str]) -> None:
    """Keep that the sweep of an address that was just opened is not there; one just begun may have no run yet."""
    asked = st.session_state.pop(_ASKED_SWEEP, "")
    if asked and asked not in known:
        lose("train", "sweep", asked)


def choose_run(run_id: str) -> None:
    """Open a run."""
    st.session_state[_RUNS] = replace(runs_view(), run=run_id)


def look_at_sweep(sweep: str) -> None:
    """List the runs of a sweep."""
    st.session_state[_RUNS] = replace(RunsView(), sweep=sweep)


def show_more_runs() -> None:
    """Another page of the list; for callbacks."""
    st.session_state[_RUNS] = replace(runs_view(), pages=runs_view().pages + 1)


def take_run() -> None:
    """Open the run whose row was pressed; for callbacks. Pressing it again changes nothing."""
    run_id = st.session_state[RUNS_TABLE].open
    if isinstance(run_id, str):
        choose_run(run_id)


def take_sort() -> None:
    """Sort the list by the column whose heading was pressed; for callbacks. Its beginning is shown."""
    sort = st.session_state[RUNS_TABLE].sort
    if sort in ("", *SORTS):
        st.session_state[_RUNS] = replace(runs_view(), sort=sort, pages=1)
