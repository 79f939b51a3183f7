"""Which tokens are attended to when attention is scarce? The page that opens first."""

import streamlit as st

from app.attention.hub_panel import open_another
from app.compare.compare_link import compare_button
from app.parts.live_canvas import live_canvas
from app.parts.widgets import checkpoint_report, controls, escaped, lost_part
from app.server.resources import checkpoints
from app.state.attention_choice import CanvasView, default_choice
from app.state.attention_state import attention_choice, remember
from compecon.views.attention.request import problem_with, text_for

entries = checkpoints()
first = "sentiment" if "sentiment" in entries else next(iter(entries), "")
default = default_choice(first, entries[first].task if first else "")

choice = attention_choice(default, entries, lambda name, *texts: text_for(entries.get(name), *texts))
entry = entries.get(choice.checkpoint)
view = CanvasView.current()

lost_part("attention")
# The canvas comes first: it paints while the browser still fetches the parts that draw the widgets.
live_canvas(choice, view, problem_with(entry, choice.text, choice.pair))

with st.sidebar:
    st.markdown(f"**compecon** · {escaped('attention under a budget')}")
    controls()
    if entry is not None:
        checkpoint_report(entry)
        compare_button(choice, entries)
    open_another()

remember(choice, view, default)
