"""The frontier as a figure of Plotly's library, for files that stand alone."""

from __future__ import annotations

from app.canvas_data.frontier_figure import figure_data
from app.canvas_data.plot_style import Theme
from app.parts.plotly_figures import go
from compecon.views.frontier.drawn import FrontierView


def frontier_figure(view: FrontierView, theme: Theme = "light") -> go.Figure:
    """What `figure_data` says, checked by the library."""
    return go.Figure(figure_data(view, theme)).update_layout(template="none")
