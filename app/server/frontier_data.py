"""What the Frontier page hands to its plot. Loads no Streamlit: the first picture comes before that is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from app.canvas_data.advised import Advised, advised
from app.canvas_data.frontier_figure import PAPER
from app.canvas_data.plot_style import COLOURS
from app.server.plotly_script import plotly_address
from app.server.shared_frontier import Frontier, frontier
from app.state.frontier_choice import FrontierChoice, FrontierPlace
from compecon.views.frontier.drawn import FrontierAxes, FrontierView
from compecon.views.frontier.size_points import export_command


def axes_of(choice: FrontierChoice) -> FrontierAxes:
    """What the widgets put on the axes."""
    return FrontierAxes(choice.task, choice.x, choice.y, choice.log)


def canvas_data(shown: Frontier, view: FrontierView, place: FrontierPlace, advice: Advised) -> dict[str, Any]:
    """All that the plot needs; only "view" says where the key-budget bar stands at first."""
    return {
        "plotly": plotly_address(),
        "figure": shown.figure(view.axes),
        "scope": "|".join(map(str, asdict(view.axes).values())),
        "colours": {theme: [*PAPER[theme], *COLOURS[theme]] for theme in ("light", "dark")},
        "budgets": view.budgets,
        "measured": [sum(curve.ys[stop] is not None for curve in view.curves) for stop in range(len(view.budgets))],
        "doors": _doors(shown, view),
        "commands": {mark.point.key: command for mark in view.marks if (command := export_command(mark.point))},
        "answer": _answer(advice),
        "advised": {"key": advice.key, "role": advice.role},
        "limit": advice.limit,
        "view": asdict(place),
        "told": f"compecon {version('compecon')} · {view.axes.task} · {len(view.marks)} points, bars: 95% intervals",
        "file": f"frontier-{view.axes.task}",
    }


def _doors(shown: Frontier, view: FrontierView) -> dict[str, list[bool]]:
    """For each point that can be opened: whether in Attention, and whether beside its dense parent."""
    pairs = ((mark.point, shown.dense_parent(mark.point)) for mark in view.marks if mark.point.checkpoint)
    return {point.key: [True, dense is not None and dense.checkpoint != point.checkpoint] for point, dense in pairs}


def _answer(advice: Advised) -> dict[str, Any] | None:
    """The question that is asked, whether something fits, and the answer; None if nothing is asked."""
    if advice.advice is None:
        return None
    first, *others = advice.advice.sentences
    return {"question": advice.question, "fits": bool(advice.advice.key), "first": first, "more": " ".join(others)}


def first_data(params: Mapping[str, str]) -> dict[str, Any] | None:
    """What the page will hand to its plot at an address; None where it says something else, or something above.

    Args:
        params: Of the address, as anybody may have written them.
    """
    shown = frontier()
    if not shown.tasks or params.get("task", "") not in ("", *shown.tasks):
        return None
    choice = FrontierChoice.from_mapping(params).among(shown.tasks, shown.costs)
    view = shown.view(axes_of(choice))
    return canvas_data(shown, view, FrontierPlace.from_mapping(params), advised(view, choice))
