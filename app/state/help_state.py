"""Which page of the guide is open."""

from __future__ import annotations

from collections.abc import Container

import streamlit as st

from app.state.address_bar import write_address
from compecon.views.help.guide import INDEX

HELP_TOPIC, HELP_LINKS = "help_topic", "help_links"
_WRITTEN = "help_written"  # the topic that the address last had from us


def help_topic(known: Container[str]) -> str:
    """The open page. An address that we did not write has the last word: it was opened, or Back was pressed."""
    asked = st.query_params.get("topic", INDEX)
    topic = st.session_state.get(HELP_TOPIC, INDEX) if asked == st.session_state.get(_WRITTEN) else asked
    topic = topic if topic in known else INDEX
    st.session_state[HELP_TOPIC] = st.session_state[_WRITTEN] = topic
    write_address({"topic": topic} if topic != INDEX else {})
    return topic


def follow_link() -> None:
    """Open the page that a link in the text leads to; for callbacks. What is unknown opens the first one."""
    topic = st.session_state[HELP_LINKS].topic
    st.session_state[HELP_TOPIC] = topic if isinstance(topic, str) else INDEX
