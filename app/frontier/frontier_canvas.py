"""The plot of the Frontier page: a component that owns its numbers, so that dragging never runs the script."""

from __future__ import annotations

from typing import Any

from app.canvas_data.advised import Advised
from app.parts.canvas import canvas_component
from app.server.frontier_data import canvas_data
from app.server.shared_frontier import Frontier
from app.state.frontier_choice import FrontierPlace
from compecon.views.frontier.drawn import FrontierView


def frontier_canvas(shown: Frontier, view: FrontierView, place: FrontierPlace, advised: Advised) -> Any:
    """Draw the plot; what a button on a point's card asks for, or None."""
    component = canvas_component("frontier", isolate_styles=False)  # Plotly puts its style sheet into the page
    state = component(
        data=canvas_data(shown, view, place, advised),
        key=FrontierPlace.CANVAS,
        on_view_change=lambda: None,
        on_picked_change=lambda: None,
        on_go_change=lambda: None,
    )
    return getattr(state, "go", None)
