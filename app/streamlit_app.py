"""The frame around every page. ``compecon`` serves it; ``python -m streamlit run app`` works without the live routes."""

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # in a wheel, `app` lies inside the package, where nothing else finds it
    sys.path.insert(0, str(ROOT))

st.set_page_config(page_title="compecon", page_icon=":material/balance:", layout="wide")
st.navigation([st.Page(ROOT / "pages" / "attention.py", title="Attention", default=True)]).run()
