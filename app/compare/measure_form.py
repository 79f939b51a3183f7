"""Measuring two checkpoints on rows of a task, in the background: the form, and what is under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from app.compare.shared_measurements import last_folder
from app.parts.label_order import label_order
from app.parts.widgets import OWN_FILES_HELP, escaped
from app.server.resources import runs
from app.state.dataset_state import (
    OWN_FILES,
    PATH,
    TASK,
    asked,
    await_rows,
    hold_asked,
    hold_order,
    number,
    task_asked,
    widget,
)
from app.train.run_actions import stop
from app.train.run_resources import executor
from compecon.errors import CompeconError
from compecon.evaluation.row_store import SHOWN_ROWS
from compecon.files.durable import Json
from compecon.runs.run_record import RunRecord, RunState
from compecon.runs.submission import new_spec
from compecon.tasks.task_registry import TASKS
from compecon.views.compare.row_sets import RowSet
from compecon.views.runs.run_rows import progress_of, reason_of, sign_of, stage_of
from compecon.views.runs.task_look import look_at

RECIPE, EVERY_S = "statistics", 1.0
_DATA, _SPLIT, _ROWS = (f"compare_measure_{name}" for name in ("data", "split", "rows"))
_N_ROWS = 200
_ENDED_BADLY = (RunState.FAILED, RunState.LOST)


def waiting_part(a: str, b: str) -> None:
    """What is being measured of these two; polled while anything is."""
    if active_runs(a, b):
        st.fragment(_progress, run_every=EVERY_S)(a, b)
    else:
        _failure(a, b)


def active_runs(a: str, b: str) -> list[RunRecord]:
    """Runs that measure one of the two and are not finished, the oldest first."""
    return [each for each in reversed(_runs_of(a, b)) if not each.state.is_finished]


def _runs_of(a: str, b: str) -> list[RunRecord]:
    return [each for each in runs() if each.spec.recipe == RECIPE and each.spec.params.get("checkpoint") in (a, b)]


def _progress(a: str, b: str) -> None:
    active = active_runs(a, b)
    if not active:
        st.rerun()  # the picture is there, or a reason why it is not
    with st.container(border=True):
        st.markdown("**Being measured**")
        for record in active:
            left, right = st.columns([6, 1], vertical_alignment="center")
            sign, word = sign_of(record)
            said = " · ".join(filter(None, (record.title, f"{sign} {word}", stage_of(record))))
            left.progress(progress_of(record) or 0.0, text=escaped(said))
            right.button("Stop", on_click=_stop, args=(record.run_id,), key=f"compare-stop-{record.run_id}")
        st.caption("It continues when this page is closed; the Train page lists it too.")


def _failure(a: str, b: str) -> None:
    """Why the last measurement of one of the two came to nothing."""
    last = next(iter(_runs_of(a, b)), None)
    if last is not None and last.state in _ENDED_BADLY:
        st.warning(escaped(f"{last.title} ended without a result: {reason_of(last)}"))


def measure_part(a: str, b: str, sets: Sequence[RowSet], *, is_open: bool) -> None:
    """The form that submits what is missing of two checkpoints, given the rows that they were measured on."""
    with st.expander("Measure on other rows" if not is_open else "Measure both on rows of a task", expanded=is_open):
        names = [*(name for name, entry in TASKS.items() if entry.kind != "language"), OWN_FILES]
        task, data, split, rows, button = st.columns([2, 3, 1.4, 1.4, 2], vertical_alignment="bottom")
        task.selectbox("Task", names, index=_usual(names, sets), key=TASK)
        with data:
            _where(last_folder(names[_usual(names, sets)]))
        split.selectbox("Split", ["test", "dev"], key=_SPLIT)
        rows.number_input("Rows", 2, SHOWN_ROWS, _N_ROWS, step=50, key=_ROWS)
        may_begin = _understood_part(a, b)
        button.button(
            "Measure in the background",
            type="primary",
            on_click=_measure,
            args=(a, b),
            disabled=bool(active_runs(a, b)) or not may_begin,
            key="compare-measure",
        )
        st.caption(
            "Gini, entropy and predictions of both, with all keys and with 8, 4, 2 and 1 per query. Earlier "
            "measurements are reused."
        )
        if asked():
            st.error(escaped(asked()))


def _where(usual: str) -> None:
    """Where the chosen task's rows are."""
    entry = TASKS.get(widget(TASK))
    if widget(TASK) == OWN_FILES:
        st.text_input(
            "File or folder", key=PATH, max_chars=1000, placeholder="PATH?text=COLUMN&label=COLUMN", help=OWN_FILES_HELP
        )
        return
    st.text_input(
        "Data folder",
        value=usual,
        key=_DATA,
        max_chars=1000,
        placeholder="empty: from the Hugging Face Hub",
        help=escaped(str(entry.layout)) if entry is not None and entry.layout is not None else "This task needs none.",
    )


def _understood_part(a: str, b: str) -> bool:
    """Which class is which output of each of the two; whether both can be measured."""
    if not task_asked():
        st.caption("Give a file, or a folder of files called train, dev and test.")
        return False
    rows = look_at(RECIPE, {"task": task_asked(), "data": _data()})
    if rows.problem:
        for line in rows.problem.splitlines():
            st.error(escaped(line))
        return False
    may_begin = True
    for letter, checkpoint in {"A": a, "B": b}.items():
        look = look_at(RECIPE, {"task": task_asked(), "checkpoint": checkpoint})
        for line in (*look.lines, *filter(None, [look.problem])):
            st.caption(escaped(f"{letter}, {line}"))
        if look.doubt is not None:
            label_order(look.doubt, f"compare-order-{letter}", hold_order)
        may_begin = may_begin and look.may_begin
    return may_begin


def _usual(names: Sequence[str], sets: Sequence[RowSet]) -> int:
    """Place of a task that one of the two was measured on and whose data is here; else of one that needs none."""
    tasks = [each.either.key.task for each in sets if each.both is None]
    known = [task for task in tasks if task in names and last_folder(task)]
    return names.index(known[0] if known else "reviews")


def _measure(a: str, b: str) -> None:
    try:
        for checkpoint in dict.fromkeys((a, b)):
            await_rows(_submit(checkpoint))
        hold_asked("")
    except CompeconError as error:
        hold_asked(str(error))
    except OSError as error:
        hold_asked(f"The measurement could not be started: {error.strerror or error}.")


def _data() -> str | None:
    """The data folder; None for a task that needs none."""
    entry = TASKS.get(widget(TASK))
    return None if entry is None or entry.is_made else widget(_DATA) or None


def _submit(checkpoint: str) -> Mapping[str, Json]:
    """Measure a checkpoint unless it is being measured already; returns all settings of the run."""
    params: dict[str, Json] = {
        "checkpoint": checkpoint,
        "task": task_asked(),
        "data": _data(),
        "split": widget(_SPLIT),
        "rows": number(_ROWS, _N_ROWS),
    }
    name = checkpoint.rstrip("/\\").replace("\\", "/").rpartition("/")[2]
    spec = new_spec(RECIPE, params, title=f"Statistics, {name} on {params['task']}")
    earlier = [each for each in runs() if each.spec.recipe == RECIPE and each.spec.params == spec.params]
    if all(each.state.is_finished for each in earlier):
        executor().submit(spec, f"{RECIPE} {sorted(spec.params.items())!r} {len(earlier)}")
    return spec.params


def _stop(run_id: str) -> None:
    try:
        stop(run_id)
    except CompeconError as error:
        hold_asked(str(error))
