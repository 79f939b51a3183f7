"""What would come of the form: what is wrong with it, what it will take, and the same on a command line."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import streamlit as st

from app.parts.widgets import escaped
from app.state.form_state import close_form
from app.state.runs_state import notice
from app.train.form_task import task_part
from app.train.run_actions import perform, start, title_of
from app.train.run_resources import expected_of, room, speed_of
from compecon.checkpoints.catalog import CheckpointEntry
from compecon.errors import CompeconError
from compecon.files.durable import Json
from compecon.runs.devices_here import queue_of
from compecon.runs.sweeps.points import Points
from compecon.views.runs.expected_cost import estimate_view
from compecon.views.runs.form_draft import FormDraft
from compecon.views.runs.form_problems import Problem, needs_network, problems_with
from compecon.views.runs.task_look import TaskLook, look_at

_MOST_SHOWN = 12  # commands of a sweep
_MOST_ESTIMATED = 50


def form_outcome(draft: FormDraft, entries: Mapping[str, CheckpointEntry]) -> None:
    """What is wrong, or what will be started."""
    problems, points = _judged(draft, entries)
    if problems:
        for problem in problems:
            st.error(escaped(problem.sentence), icon=":material/error:")
    look, params = _looked(draft, points)
    if look is not None:
        task_part(draft, params, look)
    n_runs = len(points) if points else 1
    may_begin = look is None or look.may_begin
    label = "Start" if n_runs == 1 else f"Start {n_runs} runs"
    with st.container(horizontal=True):
        st.button(
            escaped(label),
            type="primary",
            disabled=bool(problems) or not may_begin,
            on_click=perform,
            args=(start, draft),
            key="start",
        )
        st.button("Back to the list", on_click=close_form, key="back")
    said = notice()
    if said is not None and said.went_wrong:
        st.error(escaped(said.text))
    if points is not None:
        _estimate(draft, points)
        _preview(draft, points)


def _looked(draft: FormDraft, points: Points | None) -> tuple[TaskLook | None, Mapping[str, Json]]:
    """How the task of the first run was understood, once the form has no other problem."""
    if points is None:
        return None, {}
    params = draft.does.does.checked({**points.params, **points.points[0]})
    return look_at(points.recipe, params), params


def _estimate(draft: FormDraft, points: Points) -> None:
    """What it will take, and whether that is there."""
    queue = queue_of(str(points.params.get("device", "auto"))) if draft.does.does.needs_torch else ""
    speed = speed_of(points.recipe, queue)
    looked_at = points.points[:_MOST_ESTIMATED]
    each = [expected_of(points.recipe, {**points.params, **point}, speed) for point in looked_at]
    known = [one for one in each if one is not None]
    if not known:
        return
    view = estimate_view(known, len(points), speed, room())
    for warning in view.warnings:
        st.warning(escaped(warning))
    st.markdown("**Expected cost**")
    names, values = ([escaped(line[end]) for line in view.lines] for end in (0, 1))
    st.table({"what": names, "expected": values}, hide_index=True, hide_header=True)
    st.caption(escaped(view.description))


def _judged(draft: FormDraft, entries: Mapping[str, CheckpointEntry]) -> tuple[tuple[Problem, ...], Points | None]:
    problems = problems_with(draft.does, draft.params, entries)
    if problems:
        return problems, None
    try:
        return (), draft.points()
    except CompeconError as error:
        return (Problem(draft.vary, str(error)),), None


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
    st.caption(escaped(f"Title: {draft.title.strip() or title_of(draft, points)}"))
