"""The list of runs and the open one: one fragment, which is drawn again each second while anything runs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from app.parts.widgets import escaped, lost_part
from app.server.resources import runs
from app.server.run_list_data import PAGE
from app.state.form_state import open_blank_form
from app.state.runs_state import (
    NOTICE,
    RunsView,
    check_sweep,
    keep_runs_view,
    lose_run,
    runs_view,
    show_more_runs,
)
from app.train.run_actions import perform, quick_look, restore, resume_all, resume_runs, stop_runs
from app.train.run_panel import run_page
from app.train.run_resources import durations_of
from app.train.run_table import run_table
from compecon.runs.run_record import RunRecord, RunState
from compecon.views.runs.presets import PRESETS, QUICK
from compecon.views.runs.run_columns import in_order, rows_csv
from compecon.views.runs.run_rows import SIGNS, RunRow, matching, run_row, sweep_tally

EVERY_S = 1.0


def runs_panel() -> None:
    """The list and the open run. It is polled only while a run is under way, and widgets share its fragment."""
    read = [runs()]
    polls = any(not record.state.is_finished for record in read[0])
    st.fragment(_panel, run_every=EVERY_S if polls else None)(read, polls=polls)


def _panel(read: list[tuple[RunRecord, ...]], *, polls: bool) -> None:
    records = read.pop() if read else runs()  # read once for the page, and again whenever this fragment runs by itself
    asked = runs_view().run
    if asked and not any(record.run_id == asked for record in records):
        lose_run(asked)
    check_sweep({record.spec.sweep for record in records})
    lost_part("train")
    if polls is all(record.state.is_finished for record in records):
        st.rerun()  # a run has begun, or the last has ended: begin or end the polling
    if not records:
        _say_notice()
        _invite()
        return
    _head(records)
    _say_notice()
    view = _filter(records, runs_view())
    found = matching(records, view.words, view.state, view.sweep)
    _sweep(records, view.sweep)
    durations = durations_of(records)
    chosen = next((each for each in records if each.run_id == view.run), next(iter(found), None))
    _table(found, durations, chosen, view)
    if chosen is not None:
        view = replace(view, part=run_page(chosen, records, durations.get(chosen.run_id, ()), view.part))
    keep_runs_view(view)


def _head(records: Sequence[RunRecord]) -> None:
    title, button = st.columns([6, 1], vertical_alignment="center")
    title.subheader("Runs", anchor=False)
    if button.button("New run", type="primary", icon=":material/add:", width="stretch", key="new-run"):
        open_blank_form()
        st.rerun()
    n_lost = sum(record.state is RunState.LOST for record in records)
    if n_lost:
        text, action = st.columns([6, 1], vertical_alignment="center")
        many = "1 run was lost" if n_lost == 1 else f"{n_lost} runs were lost"
        text.warning(escaped(f"{many} and can be resumed from the last complete checkpoint."), icon=":material/replay:")
        action.button("Resume all", on_click=perform, args=(resume_all,), width="stretch", key="resume-all")


def _say_notice() -> None:
    said = NOTICE.get()
    if said is None:
        return
    text, action = st.columns([6, 1], vertical_alignment="center")
    (text.error if said.went_wrong else text.info)(escaped(said.text))
    with action.container(horizontal=True):
        if said.deleted:
            st.button("Undo", on_click=perform, args=(restore, said.deleted), key="undo")
        st.button("Dismiss", on_click=NOTICE.put, args=(None,), key="dismiss")


def _filter(records: Sequence[RunRecord], view: RunsView) -> RunsView:
    """Draw the filter; a sweep that is gone does not count."""
    words, state, sweep = st.columns([2, 1, 1])
    states = ["", *(word for _, word in SIGNS.values())]
    sweeps = ["", *dict.fromkeys(record.spec.sweep for record in records if record.spec.sweep)]
    return replace(
        view,
        words=words.text_input(
            "Search", value=view.words, key="runs_words", placeholder="title, name or recipe", max_chars=100
        ),
        state=state.selectbox("State", states, index=states.index(view.state), key="runs_state", format_func=_any),
        sweep=sweep.selectbox(
            "Sweep",
            sweeps,
            index=sweeps.index(view.sweep) if view.sweep in sweeps else 0,
            key="runs_sweep",
            format_func=_any,
            disabled=len(sweeps) == 1,
        ),
    )


def _sweep(records: Sequence[RunRecord], sweep: str) -> None:
    if not sweep:
        return
    tally = sweep_tally(records, sweep)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{sweep}: {tally.words}")
        if tally.can_stop:
            st.button("Stop all", on_click=perform, args=(stop_runs, sweep), key="stop-sweep")
        if tally.can_resume:
            st.button("Resume all", on_click=perform, args=(resume_runs, sweep), key="resume-sweep")


def _any(name: str) -> str:
    return name or "any"


def _table(
    found: Sequence[RunRecord], durations: Mapping[str, Sequence[float]], chosen: RunRecord | None, view: RunsView
) -> None:
    if not found:
        st.info("No matching runs.")
        return

    def rows(records: Sequence[RunRecord]) -> list[RunRow]:
        return [run_row(each, time.time(), durations.get(each.run_id, ())) for each in records]

    n = PAGE * view.pages
    shown = in_order(rows(found), view.sort)[:n] if view.sort else rows(found[:n])
    run_table(shown, chosen.run_id if chosen else "", view.sort)
    text, save, more = st.columns([5, 1, 1], vertical_alignment="center")
    save.download_button(
        "CSV",
        lambda: rows_csv(in_order(rows(found), view.sort)),
        "runs.csv",
        "text/csv",
        on_click="ignore",
        width="stretch",
        key="runs-csv",
        help="All runs that match, not only those shown.",
    )
    if len(found) > len(shown):
        text.caption(f"{len(shown)} of {len(found):,} runs.")
        more.button("Show more", on_click=show_more_runs, width="stretch", key="more")


def _invite() -> None:
    st.subheader("No runs yet", anchor=False)
    st.text(
        "A run trains a checkpoint in the background. It continues when this page is closed, can be stopped and "
        "resumed, and its result appears in every checkpoint menu."
    )
    st.text(PRESETS[QUICK].description)
    with st.container(horizontal=True):
        st.button("Start a quick look", type="primary", on_click=perform, args=(quick_look,), key="quick-look")
        if st.button("Fill in the form", key="new-run"):
            open_blank_form()
            st.rerun()
