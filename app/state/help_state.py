"""Which page of the guide is open."""

from __future__ import annotations

from collections.abc import Container

import streamlit as st

from app.state.address_bar import lose, write_address
from compecon.views.help.guide import INDEX

HELP_TOPIC, HELP_LINKS = "help_topic", "help_links"
_WRITTEN = "help_written"  # the topic that the address last had from us
_CHOSEN = "help_chosen"  # whether somebody has chosen a topic since it was drawn


def help_topic(known: Container[str]) -> str:
    """The open page. An address that we did not write has the last word: it was opened, or Back was pressed.

    Unless somebody has just chosen one: then that address is older than what we wrote last.
    """
    asked = st.query_params.get("topic", INDEX)
    is_ours = st.session_state.pop(_CHOSEN, False) or asked == st.session_state.get(_WRITTEN)
    topic = st.session_state.get(HELP_TOPIC, INDEX) if is_ours else asked
    if topic not in known:
        lose("help", "topic", topic)
        topic = INDEX
    st.session_state[HELP_TOPIC] = st.session_state[_WRITTEN] = topic
    write_address({"topic": topic} if topic != INDEX else {})
    return topic


def follow_link() -> None:
    """Open the page that a link in the text leads to; for callbacks. What is unknown opens the first one."""
    topic = st.session_state[HELP_LINKS].topic
    st.session_state[HELP_TOPIC] = topic if isinstance(topic, str) else INDEX
    take_topic()


def take_topic() -> None:
    """Somebody has chosen the topic that the list holds; for callbacks."""
    st.session_state[_CHOSEN] = True
