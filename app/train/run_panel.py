"""One run: its progress, its results, and what can be done with it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence

import streamlit as st

from app.parts.data_table import data_table
from app.parts.widgets import escaped
from app.server.resources import checkpoints, forget_checkpoints
from app.state.attention_state import select_checkpoint
from app.state.compare_state import choose_pair
from app.state.form_state import open_form
from app.state.runs_state import PARTS
from app.train.run_actions import delete, perform, resume, stop
from app.train.run_overview import fact_table, overview
from app.train.run_resources import HISTORIES
from compecon.errors import CompeconError, NewerError, RunError
from compecon.files.durable import read_json, tail
from compecon.paths import dashboard_root
from compecon.runs.folder import LOG
from compecon.runs.run_record import SCHEMA, RunRecord, RunState
from compecon.views.compare.pair import parent_of
from compecon.views.runs.curves import metrics_csv
from compecon.views.runs.detail import Action, RunDetail, run_detail
from compecon.views.runs.example_rows import ExampleRow, examples_view
from compecon.views.runs.spec_diff import Change, spec_diff

_PARTS = dict(zip(PARTS, ("Overview", "Examples", "Settings", "Log"), strict=True))
_LABELS: dict[Action, tuple[str, str]] = {
    "stop": ("Stop", "Saves a checkpoint after the current step, then stops. The run can be resumed."),
    "kill": ("Stop now", "Ends the process immediately. The last complete checkpoint is kept."),
    "resume": ("Resume", "Continues from the last complete checkpoint."),
    "again": ("Try again", "Continues from the last complete checkpoint, or from the start if there is none."),
    "delete": ("Delete", "Moves the run to the trash; nothing is deleted from disk."),
}
_MOST_COMPARED = 200
_DOES = {"stop": stop, "kill": stop, "resume": resume, "again": resume, "delete": delete}


def run_page(record: RunRecord, records: Sequence[RunRecord], durations: Sequence[float], part: str) -> str:
    """Draw a run with one of its parts open, given the seconds of its last steps; returns which part is open now."""
    with HISTORIES.courses(record.folder) as courses:
        detail = run_detail(record, courses, tail(record.folder / LOG), now=time.time(), durations=durations)
    with st.container(border=True):
        _head(detail)
        _buttons(record, detail)
        part = st.segmented_control(
            "Part",
            PARTS,
            default=part,
            key="runs_part",
            format_func=_PARTS.__getitem__,
            required=True,
            label_visibility="collapsed",
        )
        if part == "examples":
            _examples(record)
        elif part == "settings":
            _settings(record, records, detail)
        elif part == "log":
            _log(detail)
        else:
            overview(detail)
    return part


def _head(detail: RunDetail) -> None:
    row = detail.row
    st.subheader(escaped(row.title), anchor=False)
    parts = (f"{row.sign} {row.word}", row.stage, row.elapsed, f"{row.left} left" if row.left else "")
    said = " · ".join(filter(None, parts))
    if row.state.is_finished:
        st.text(said)
    else:
        st.progress(row.progress or 0.0, text=escaped(said))
    if detail.sentence:
        st.success(escaped(detail.sentence))
    elif row.reason and row.state in (RunState.FAILED, RunState.LOST):
        st.error(escaped(row.reason))
    elif row.reason:
        st.text(row.reason)
    if row.pace:
        st.warning(escaped(row.pace))


def _buttons(record: RunRecord, detail: RunDetail) -> None:
    with st.container(horizontal=True):
        if "open" in detail.actions:
            _open_in_attention(record)
            _send_to_compare(record)
        for action in detail.actions:
            if action not in ("open", "delete"):
                _action(action, record.run_id)
        if st.button("Duplicate", help="Fills in the form with these settings.", key="run-duplicate"):
            from compecon.views.runs.form_draft import FormDraft  # noqa: PLC0415 - every setting: for the form only

            open_form(FormDraft.of_run(record.run_id, record.spec))
            st.rerun()
        st.download_button(
            "Metrics as CSV",
            lambda: _csv(record),
            f"{record.run_id}.csv",
            "text/csv",
            on_click="ignore",
            key=f"run-csv-{record.run_id}",
        )
        if "delete" in detail.actions:
            _action("delete", record.run_id)


def _action(action: Action, run_id: str) -> None:
    label, tip = _LABELS[action]
    st.button(label, help=escaped(tip), on_click=perform, args=(_DOES[action], run_id), key=f"run-{action}")


def _open_in_attention(record: RunRecord) -> None:
    tip = "Opens the new checkpoint on the Attention page."
    if st.button("Open in Attention", type="primary", help=tip, key="run-open"):
        forget_checkpoints()
        select_checkpoint(str(record.checkpoint))
        st.switch_page(dashboard_root() / "pages" / "attention.py")


def _send_to_compare(record: RunRecord) -> None:
    parent = parent_of(record.spec.params)
    if parent not in checkpoints():
        return
    tip = "Opens the original checkpoint (A) and the new one (B) side by side."
    if st.button("Send to Compare", help=tip, key="run-compare"):
        forget_checkpoints()
        choose_pair(parent, str(record.checkpoint))
        st.switch_page(dashboard_root() / "pages" / "compare.py")


def _csv(record: RunRecord) -> str:
    with HISTORIES.courses(record.folder) as courses:
        return metrics_csv(courses.history)


def _examples(record: RunRecord) -> None:
    try:
        view = examples_view(read_json(record.folder / "examples.json", SCHEMA))
    except NewerError as error:
        st.caption(escaped(str(error)))
        return
    except (OSError, RunError):
        st.caption("No examples yet: they are made at the end of a training or pruning.")
        return
    st.caption(escaped(view.description))
    for title, rows in (("Best", view.best), ("Worst", view.worst)):
        st.markdown(f"**{escaped(title)}**")
        _example_table(rows)


def _example_table(rows: Sequence[ExampleRow]) -> None:
    if not rows:
        st.caption("None.")
        return
    compares = any(row.parent_loss is not None for row in rows)
    before: dict[str, Sequence[str | float | None]] = {
        "parent's": [row.parent_prediction for row in rows],
        "its loss": [row.parent_loss for row in rows],
    }
    data_table(
        {
            "text": [row.text for row in rows],
            "right": [row.target for row in rows],
            "prediction": [row.prediction for row in rows],
            "loss": [row.loss for row in rows],
            **(before if compares else {}),
        },
        column_config={
            "text": st.column_config.TextColumn(width="large"),
            "loss": st.column_config.NumberColumn(format="%.3f"),
            "its loss": st.column_config.NumberColumn(format="%.3f"),
        },
    )


def _settings(record: RunRecord, records: Sequence[RunRecord], detail: RunDetail) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Differences**")
        _changes(record, records[:_MOST_COMPARED])
        st.markdown("**As a command**")
        st.code(_command(record), language=None, wrap_lines=True)
    with right:
        fact_table(detail.settings, "All settings")


def _changes(record: RunRecord, records: Sequence[RunRecord]) -> None:
    others = {each.run_id: each for each in records if each.run_id != record.run_id}
    if not others:
        st.caption("There is no other run to compare with.")
        return
    parent = record.spec.parent_run
    chosen = st.selectbox(
        "Compared with",
        list(others),
        index=list(others).index(parent) if parent in others else None,
        format_func=lambda run_id: others[run_id].title,  # options are shown letter by letter
        placeholder="choose a run",
        key=f"run-against-{record.run_id}",
    )
    if chosen is not None:
        _change_table(spec_diff(others[chosen].spec, record.spec))


def _change_table(changes: Sequence[Change]) -> None:
    if not changes:
        st.caption("None: the settings are the same.")
        return
    st.table(
        {
            "setting": [escaped(change.name) for change in changes],
            "there": [escaped(change.before) for change in changes],
            "here": [escaped(change.after) for change in changes],
        },
        hide_index=True,
    )


def _command(record: RunRecord) -> str:
    from compecon.runs.jobs.job_registry import RECIPES  # noqa: PLC0415 - every setting: for few

    recipe = RECIPES.get(record.spec.recipe)
    try:
        words = recipe.command(recipe.checked(record.spec.params)) if recipe else ()
    except CompeconError as error:
        return f"none: {error}"
    return shlex.join(["compecon", *words]) if words else "(no command)"


def _log(detail: RunDetail) -> None:
    if detail.log:
        st.code(detail.log, language=None, height=480)
    else:
        st.caption("No log output yet.")
