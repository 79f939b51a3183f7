"""Plotly's figures, in Streamlit's colours.

Streamlit imports Plotly to set its colours when it is imported itself. The server spares the first page that, so it is
done here, before there is a figure.
"""

import plotly.graph_objects as go
from streamlit.elements.lib.streamlit_plotly_theme import configure_streamlit_plotly_theme

__all__ = ["go"]

configure_streamlit_plotly_theme()
