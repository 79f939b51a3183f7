"""What the form would start: what is wrong with it, how its task was understood, and the same as a command."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import streamlit as st

from app.parts.label_order import label_order
from app.parts.widgets import escaped
from app.server.resources import run_store
from app.state.form_state import close_form, field_key, open_form
from app.state.runs_state import NOTICE, Notice, look_at_sweep
from app.train.form_estimate import estimate
from app.train.run_actions import perform
from app.train.run_resources import executor
from compecon.checkpoints.catalog import CheckpointEntry
from compecon.errors import CompeconError
from compecon.runs.submission import new_spec
from compecon.runs.sweeps.points import Points, named
from compecon.runs.sweeps.sweep import submit_sweep
from compecon.tasks.task_registry import with_labels
from compecon.views.runs.form_draft import MAX_TITLE, FormDraft
from compecon.views.runs.form_problems import Problem, needs_network, problems_with
from compecon.views.runs.task_look import look_at

_MOST_SHOWN = 12  # commands of a sweep


def form_outcome(draft: FormDraft, entries: Mapping[str, CheckpointEntry]) -> None:
    """What is wrong, or what will be started."""
    problems, points = _judged(draft, entries)
    for problem in problems:
        st.error(escaped(problem.sentence), icon=":material/error:")
    may_begin = points is not None and _task(draft, points)
    n_runs = len(points) if points else 1
    with st.container(horizontal=True):
        st.button(
            "Start" if n_runs == 1 else f"Start {n_runs} runs",
            type="primary",
            disabled=not may_begin,
            on_click=perform,
            args=(start, draft),
            key="start",
        )
        st.button("Back to the list", on_click=close_form, key="back")
    said = NOTICE.get()
    if said is not None and said.went_wrong:
        st.error(escaped(said.text))
    if points is not None:
        estimate(points)
        _preview(draft, points)


def _judged(draft: FormDraft, entries: Mapping[str, CheckpointEntry]) -> tuple[tuple[Problem, ...], Points | None]:
    problems = problems_with(draft.does, draft.params, entries)
    if problems:
        return problems, None
    try:
        return (), draft.points()
    except CompeconError as error:
        return (Problem(draft.vary, str(error)),), None


def _task(draft: FormDraft, points: Points) -> bool:
    """Show how the task of the first run was understood; True if that is enough to start it."""
    params = draft.does.does.checked({**points.params, **points.points[0]})
    look = look_at(points.recipe, params)
    for line in look.problem.splitlines():
        st.error(escaped(line), icon=":material/error:")
    if look.lines:
        with st.expander("How the task was understood", expanded=True):
            for line in look.lines:
                show = st.warning if line.startswith("Note: ") else st.markdown
                show(escaped(line))
    if look.doubt is not None:
        label_order(look.doubt, field_key("order"), partial(_use_order, draft, str(params["task"])))
    return look.may_begin


def _use_order(draft: FormDraft, task: str, names: tuple[str, ...]) -> None:
    open_form(replace(draft, params={**draft.params, "task": with_labels(task, names)}))


def _preview(draft: FormDraft, points: Points) -> None:
    recipe = draft.does.does
    if needs_network(draft.params):
        st.warning("The task's rows are downloaded from the Hugging Face Hub unless they are in the local cache.")
    st.markdown("**As a command**")
    shown = points.points[:_MOST_SHOWN]
    each = [recipe.checked({**points.params, **point}) for point in shown]
    commands = [recipe.command(params, f"NEW-{n}") for n, params in enumerate(each, 1)]
    lines = [shlex.join(["compecon", *words]) for words in commands if words]
    more = [f"# and {len(points) - len(shown)} more"] if len(points) > len(shown) else []
    st.code("\n".join([*lines, *more]) or "(no command)", language=None, wrap_lines=True)
    st.caption(escaped(f"Title: {_title(draft, points)}"))


def start(draft: FormDraft) -> Notice | None:
    """Start the runs of a form. The same form with the same settings starts them once, however often it is pressed."""
    points = draft.points()
    title = _title(draft, points)
    if len(points) > 1:
        key = f"{draft.nonce} {sorted(points.params.items())!r} {points.points!r}"
        home = run_store().home
        sweep = submit_sweep(executor(), home, points, title=title, priority=draft.priority, key=key)
        close_form()
        look_at_sweep(sweep)
        return Notice(f"{len(points)} runs submitted; they take turns on this machine.")
    params = {**points.params, **points.points[0]}
    spec = new_spec(points.recipe, params, title=title, parent_run=draft.parent, priority=draft.priority)
    close_form(executor().submit(spec, f"{draft.nonce} {spec.digest}"))
    return None


def _title(draft: FormDraft, points: Points) -> str:
    """The title as typed, or else what is run on what."""
    source = str(points.params.get(draft.does.source, "")).rstrip("/\\").replace("\\", "/").rpartition("/")[2]
    about = " on ".join(filter(None, (source, str(points.params.get("task", "")))))
    size = named({name: points.params[name] for name in draft.does.either if points.params.get(name) is not None})
    own = "" if draft.vary or not draft.does.either else size
    return draft.title.strip() or ", ".join(filter(None, (draft.does.label, about, own)))[:MAX_TITLE]
