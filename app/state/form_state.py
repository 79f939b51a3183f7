"""What the form of a new run holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.state.address_bar import write_address
from app.state.runs_state import choose_run

if TYPE_CHECKING:
    from compecon.files.durable import Json
    from compecon.settings.setting import Setting
    from compecon.views.runs.form_draft import FormDraft

_DRAFT, _EDITION = "form_draft", "form_edition"


def form_draft() -> FormDraft | None:
    """The form as it stands, or None while none is open; a reload restores it from the address."""
    if _DRAFT not in st.session_state:
        st.session_state[_DRAFT] = _in_address() if "new" in st.query_params else None
    held: FormDraft | None = st.session_state[_DRAFT]
    return held


def _in_address() -> FormDraft | None:
    from compecon.views.runs.form_draft import FormDraft  # noqa: PLC0415 - every setting: only once a form is opened

    return FormDraft.from_query(st.query_params.to_dict())


def open_blank_form() -> None:
    """Open a form that is filled in with what is available on every machine."""
    from compecon.views.runs.form_draft import FormDraft  # noqa: PLC0415 - see above

    open_form(FormDraft.blank())


def open_form(draft: FormDraft) -> None:
    """Open the form, or fill it in anew: its fields begin with what the draft says."""
    st.session_state[_DRAFT] = draft
    st.session_state[_EDITION] = st.session_state.get(_EDITION, 0) + 1


def keep_form(draft: FormDraft) -> None:
    """Keep the form as its fields hold it, in the address too."""
    st.session_state[_DRAFT] = draft
    write_address(draft.query)


def close_form(run_id: str = "") -> None:
    """Close the form, and look at a run if there is one."""
    st.session_state[_DRAFT] = None
    if run_id:
        choose_run(run_id)


def begin_field(setting: Setting, value: Json) -> str:
    """Key of a field that begins with a value, though it is empty by default, so that it can be emptied."""
    key = field_key(setting)
    st.session_state.setdefault(key, value)
    return key


def field_key(setting: Setting | str) -> str:
    """Key of a field of the form; another one once the form was filled in anew."""
    name = setting if isinstance(setting, str) else setting.name
    return f"form-{st.session_state.get(_EDITION, 0)}-{name}"
