"""Fetching a checkpoint from the Hub: first its size, then, on a second button that states it, the download."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.server.resources import forget_checkpoints
from app.state.attention_state import PLAN, chosen, select_checkpoint
from compecon.errors import CompeconError

if TYPE_CHECKING:
    from compecon.checkpoints.hub_download import DownloadPlan


def open_another() -> None:
    """A form for checkpoints that are not in the menu. Nothing is downloaded before a button has named the size."""
    with st.expander("Open another checkpoint"):
        st.text("Folders: start compecon with\n--checkpoints DIR.")
        st.text_input("Hugging Face id", key="hub_id", placeholder="owner/name", max_chars=200)
        st.button("Look up its size", on_click=_look_up)
        plan = PLAN.get()
        if isinstance(plan, str):
            st.text(plan)
        elif plan is not None:
            files = "1 file" if len(plan.files) == 1 else f"{len(plan.files)} files"
            licence = plan.licence or "not stated"
            st.text(f"{plan.repo_id}\n{files}, licence {licence}\ncommit {plan.revision[:10]}")
            if st.button(f"Download {_size(plan.total_bytes)}", type="primary"):
                _fetch(plan)


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.2f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"


def _look_up() -> None:
    from compecon.checkpoints.hub_download import plan_download  # noqa: PLC0415 - a network client, for few

    try:
        PLAN.put(plan_download(str(chosen("hub_id") or "").strip()))
    except CompeconError as error:
        PLAN.put(str(error))


def _fetch(plan: DownloadPlan) -> None:
    from compecon.checkpoints.hub_download import download  # noqa: PLC0415

    bar = st.progress(0.0, text="Downloading")

    def show(done: int, total: int) -> None:
        bar.progress(done / max(1, total), text=f"{_size(done)} of {_size(total)}")

    try:
        folder = download(plan, show)
    except CompeconError as error:
        PLAN.put(str(error))
    else:
        forget_checkpoints()
        PLAN.put(None)
        select_checkpoint(str(folder))
    st.rerun()
