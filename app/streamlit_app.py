"""The frame around every page; ``compecon`` serves it, with title and icon."""

from pathlib import Path

import streamlit as st

from app.parts.widgets import escaped
from app.state.address_bar import renew_names

ROOT = Path(__file__).resolve().parents[1]

st.set_page_config(page_title="compecon", layout="wide")
st.html(ROOT / "assets" / "frame.css")
for sentence in renew_names():
    st.info(escaped(sentence))
st.navigation(
    [
        st.Page(ROOT / "pages" / "attention.py", title="Attention", default=True),
        st.Page(ROOT / "pages" / "compare.py", title="Compare"),
        st.Page(ROOT / "pages" / "frontier.py", title="Frontier"),
        st.Page(ROOT / "pages" / "train.py", title="Train"),
        st.Page(ROOT / "pages" / "allocation.py", title="Allocation"),
        st.Page(ROOT / "pages" / "help.py", title="Help"),
    ]
).run()
