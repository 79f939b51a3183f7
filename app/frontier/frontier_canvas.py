"""The plot of the Frontier page: a component that owns its numbers, so that dragging never runs the script."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from app.frontier.advice_panel import Advised
from app.frontier.frontier_plot import PAPER
from app.frontier.plot_style import COLOURS
from app.frontier.shared_frontier import Frontier
from app.parts.canvas import canvas_component
from app.server.plotly_script import plotly_address
from app.state.frontier_state import FrontierPlace
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


def canvas_data(shown: Frontier, view: FrontierView, place: FrontierPlace, advised: Advised) -> dict[str, Any]:
    """All that the plot needs; only "view" says where the key-budget bar stands at first."""
    return {
        "plotly": plotly_address(),
        "figure": shown.figure(view.axes),
        "scope": "|".join(map(str, asdict(view.axes).values())),
        "colours": {theme: [*PAPER[theme], *COLOURS[theme]] for theme in ("light", "dark")},
        "budgets": view.budgets,
        "measured": [sum(curve.ys[stop] is not None for curve in view.curves) for stop in range(len(view.budgets))],
        "doors": _doors(shown, view),
        "advised": advised.key,
        "limit": advised.limit,
        "view": asdict(place),
        "told": f"compecon {version('compecon')} · {view.axes.task} · {len(view.marks)} points, bars: 95% intervals",
        "file": f"frontier-{view.axes.task}",
    }


def _doors(shown: Frontier, view: FrontierView) -> dict[str, list[bool]]:
    """For each point that can be opened: whether in Attention, and whether beside its dense parent."""
    pairs = ((mark.point, shown.dense_parent(mark.point)) for mark in view.marks if mark.point.checkpoint)
    return {point.key: [True, dense is not None and dense.checkpoint != point.checkpoint] for point, dense in pairs}
