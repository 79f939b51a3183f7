"""The Help page: the guide, a page at a time."""

from __future__ import annotations

import streamlit as st

from app.parts.canvas import canvas_component
from app.parts.widgets import escaped, lost_part
from app.state.help_state import HELP_LINKS, HELP_TOPIC, follow_link, help_topic, take_topic
from compecon.views.help.guide import guide

_WIDTH_PX = 820  # a line that is comfortable to read


def help_page() -> None:
    """Everything on the page."""
    pages = guide()
    topic = help_topic(pages)
    lost_part("help")
    with st.sidebar:
        st.radio(
            "Guide",
            list(pages),
            format_func=lambda name: escaped(pages[name].title),
            key=HELP_TOPIC,
            on_change=take_topic,
            label_visibility="collapsed",
        )
    with st.container(key="guide", width=_WIDTH_PX):
        st.markdown(pages[topic].text)
    links = canvas_component("help", isolate_styles=False)  # its styles are for the text beside it
    links(data={"topic": topic}, key=HELP_LINKS, on_topic_change=follow_link)
