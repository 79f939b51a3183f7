"""How the form's task was understood: its rows, and which class is which output, before anything is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from app.parts.label_order import label_order
from app.parts.widgets import escaped
from app.state.form_state import field_key, open_form
from compecon.tasks.task_registry import with_labels
from compecon.views.runs.form_draft import FormDraft
from compecon.views.runs.task_look import TaskLook


def task_part(draft: FormDraft, params: Mapping[str, Any], look: TaskLook) -> None:
    """Draw it.

    Args:
        draft: The form.
        params: Its checked values.
        look: How its task was understood.
    """
    if look.problem:
        for line in look.problem.splitlines():
            st.error(escaped(line), icon=":material/error:")
    if look.lines:
        with st.expander("How the task was understood", expanded=True):
            for line in look.lines:
                show = st.warning if line.startswith("Note: ") else st.markdown
                show(escaped(line))
    if look.doubt is not None:
        label_order(look.doubt, field_key("order"), partial(_use, draft, str(params["task"])))


def _use(draft: FormDraft, task: str, names: tuple[str, ...]) -> None:
    open_form(replace(draft, params={**draft.params, "task": with_labels(task, names)}))
