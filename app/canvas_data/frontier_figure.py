"""The frontier as Plotly's JSON: marks with their intervals, fronts, and checkpoints as their key budget falls.

SVG traces only: WebGL ones need `eval`, which the page forbids. A trace's ``meta`` says to the page what it is:
``{"family", "part"}``, and for curves the checkpoints and the stops of the bar. Plotly's library is not loaded for it:
the first picture comes before that and Streamlit are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from app.canvas_data.plot_style import Look, Theme, hover, is_quoted, looks
from compecon.views.error_bars import error_bars
from compecon.views.frontier.drawn import BudgetCurve, Family, FrontierMark, FrontierView
from compecon.views.frontier.frontier_points import Reading
from compecon.views.frontier.names import scale_of

PAPER: dict[Theme, tuple[str, str, str]] = {  # background, text, grid
    "light": ("#ffffff", "#1f2430", "#dfe3ea"),
    "dark": ("#0f131a", "#e8ecf3", "#2b3342"),
}
_MANY = 200  # marks; above that they are small, and dominated ones keep their intervals for the hover
_DIM = 0.35
_FEW = 8  # points below which all are shown


@final
@dataclass(frozen=True)
class _Style:
    """What all traces of a figure have in common."""

    view: FrontierView
    theme: Theme

    @property
    def is_crowded(self) -> bool:
        return len(self.view.marks) > _MANY

    @property
    def size(self) -> float:
        return 6 if self.is_crowded else 10


def figure_data(view: FrontierView, theme: Theme = "light") -> dict[str, Any]:
    """Quality against cost, a family a colour and a symbol.

    Args:
        view: What is drawn.
        theme: Which colours to draw it in.

    Returns:
        "data" and "layout": for each family the curves of its checkpoints over key budgets, its front as steps (of an
        elastic checkpoint, a line through its sizes), and its marks: solid when done, hollow while running, crossed
        when failed, ringed on the front of all, dotted when tied with it, dim when dominated. Quoted ones are diamonds
        with a legend of their own.
    """
    style = _Style(view, theme)
    table = looks(view.families, theme)
    curves = {family.name: [curve for curve in view.curves if curve.family == family.name] for family in view.families}
    titled = next((family.name for family in view.families if is_quoted(family)), "")
    traces = [
        trace
        for family in view.families
        for trace in _family(family, curves[family.name], table[family.name], style, has_title=family.name == titled)
    ]
    scale = scale_of(view.metric)
    return {"data": [_in_points(trace, scale) for trace in traces], "layout": _layout(view, theme)}


def _in_points(trace: dict[str, Any], scale: int) -> dict[str, Any]:
    """The same with the metric as people read it."""
    scaled: dict[str, Any] = {**trace, "y": [None if y is None else scale * y for y in trace["y"]]}
    if "error_y" in trace:
        ends = {end: [scale * size for size in trace["error_y"][end]] for end in ("array", "arrayminus")}
        scaled["error_y"] = {**trace["error_y"], **ends}
    return scaled


def _layout(view: FrontierView, theme: Theme) -> dict[str, Any]:
    paper, text, grid = PAPER[theme]
    axis = {"gridcolor": grid, "linecolor": grid, "zerolinecolor": grid, "ticks": "outside", "tickcolor": grid}
    return {
        "paper_bgcolor": paper,
        "plot_bgcolor": paper,
        "font": {"color": text, "size": 13},
        "margin": {"t": 14, "r": 10, "b": 52, "l": 66},
        "xaxis": {
            **axis,
            "title": {"text": view.x_title, "font": {"size": 13}},
            "type": "log" if view.axes.is_log else "linear",
            "tickformat": ".0%" if view.axes.x.partition(":")[0] in ("share", "latency") else "~s",
            "nticks": 9,
        },
        "yaxis": {
            **axis,
            "title": {"text": view.y_title, "font": {"size": 13}},
            "tickformat": "+.3~f" if view.axes.y == "change" else ".3~f",
            "zeroline": view.axes.y == "change",
            "zerolinecolor": text,
            "range": _focus(view),
        },
        "hovermode": "closest",
        "dragmode": "zoom",
        "legend": {"groupclick": "togglegroup", "tracegroupgap": 2, "itemsizing": "constant", "y": 0.95},
        "hoverlabel": {"align": "left", "bgcolor": paper, "bordercolor": text, "font": {"color": text, "size": 12}},
    }


def _focus(view: FrontierView) -> list[float] | None:
    """Where the fronts are: a few that lost nearly everything would press all others into a line. None for all.

    Of the points on the front, tied with it or quoted, what lies within three times the quartiles' distance (Tukey).
    """
    ys = np.array([mark.y.value for mark in view.marks if mark.standing in ("front", "tied", "quoted")])
    if len(ys) < _FEW:
        return None
    low, high = np.percentile(ys, [25, 75])
    reach = max(3 * (high - low), 1e-9)
    inside = [mark.y for mark in view.marks if low - reach <= mark.y.value <= high + reach]
    if len(inside) == len(view.marks):
        return None
    ends = [end for y in inside for end in (y.ends or (y.value,))]
    bottom, top = min(ends), max(ends)
    pad = 0.05 * (top - bottom)
    scale = scale_of(view.metric)
    return [float(scale * (bottom - pad)), float(scale * (top + pad))]


def _family(
    family: Family, curves: Sequence[BudgetCurve], look: Look, style: _Style, *, has_title: bool
) -> Iterator[dict[str, Any]]:
    common = {
        "type": "scatter",
        "name": family.name,
        "legendgroup": family.name,
        "legendrank": 1000 + look.rank,
        "showlegend": False,
    }
    if curves:
        yield {**common, **_curves(curves, family, look)}
    if family.is_elastic or (len(family.front) > 1 and not is_quoted(family)):
        yield {**common, **_line(family, look)}
    ringed = [mark for mark in family.marks if mark.standing == "front"]
    if ringed:
        yield {**common, **_rings(ringed, family, style)}
    dim = [mark for mark in family.marks if mark.standing == "dominated"]
    clear = [mark for mark in family.marks if mark.standing != "dominated"]
    title = {"legendgrouptitle": {"text": "Quoted: different settings"}} if has_title else {}
    for part, marks in (("marks", clear), ("dominated", dim)):
        if marks:
            first = part == "marks" or not clear
            yield {**common, **_marks(marks, family, part, look, style), "showlegend": first, **title}


def _curves(curves: Sequence[BudgetCurve], family: Family, look: Look) -> dict[str, Any]:
    """All curves as one line with gaps: a trace each would take a second for a thousand."""
    n_stops = len(curves[0].xs)
    return {
        "x": [x for curve in curves for x in (*curve.xs, None)],
        "y": [y for curve in curves for y in (*curve.ys, None)],
        "mode": "lines",
        "line": {"color": look.colour, "width": 1},
        "opacity": 0.4,
        "hoverinfo": "skip",
        "meta": {
            "family": family.name,
            "part": "curves",
            "keys": [curve.key for curve in curves],
            "stops": n_stops,
            "symbol": look.symbol,
        },
    }


def _line(family: Family, look: Look) -> dict[str, Any]:
    """What the family offers at each cost: nothing between two checkpoints but the cheaper one.

    Between two sizes of an elastic checkpoint lie others, so it is a line through all of its sizes and no staircase.
    """
    by_key = {mark.point.key: mark for mark in family.marks}
    sizes = sorted(family.marks, key=lambda mark: mark.point.budget or 0.0)
    marks = sizes if family.is_elastic else [by_key[key] for key in family.front]
    drawn = {"shape": "linear", "width": 2.4} if family.is_elastic else {"shape": "hv", "width": 1.6}
    return {
        "x": [mark.x.value for mark in marks],
        "y": [mark.y.value for mark in marks],
        "mode": "lines",
        "line": {"color": look.colour, "dash": look.dash, **drawn},
        "hoverinfo": "skip",
        "meta": {"family": family.name, "part": "sizes" if family.is_elastic else "front"},
    }


def _rings(marks: Sequence[FrontierMark], family: Family, style: _Style) -> dict[str, Any]:
    return {
        "x": [mark.x.value for mark in marks],
        "y": [mark.y.value for mark in marks],
        "mode": "markers",
        "marker": {
            "symbol": "circle-open",
            "size": style.size + 8,
            "color": PAPER[style.theme][1],
            "line": {"width": 1.5, "color": PAPER[style.theme][1]},
        },
        "hoverinfo": "skip",
        "meta": {"family": family.name, "part": "rings"},
    }


def _marks(marks: Sequence[FrontierMark], family: Family, part: str, look: Look, style: _Style) -> dict[str, Any]:
    is_dim = part == "dominated"
    # Solid marks have an edge of paper, so that they stay apart where they overlap; outlines are the colour's own.
    edge = look.colour if look.symbol.endswith("-open") else PAPER[style.theme][0]
    outlines = [2.0 if mark.standing in ("running", "quoted") else 1.0 for mark in marks]
    return {
        "x": [mark.x.value for mark in marks],
        "y": [mark.y.value for mark in marks],
        **({} if is_dim and style.is_crowded else _bars(marks, look)),
        "mode": "markers",
        "opacity": _DIM if is_dim else 1,
        "marker": {
            "symbol": [_symbol(mark, look) for mark in marks],
            "size": style.size,
            "color": look.colour,
            "line": {"width": outlines, "color": edge},
        },
        "hovertext": [hover(mark, style.view) for mark in marks],
        "hoverinfo": "text",
        "customdata": [[mark.point.key] for mark in marks],
        "meta": {"family": family.name, "part": part},
    }


def _symbol(mark: FrontierMark, look: Look) -> str:
    match mark.standing:
        case "running":
            return f"{look.symbol.removesuffix('-open')}-open"
        case "failed":
            return "x"
        case "tied" if not look.symbol.endswith("-open"):
            return f"{look.symbol}-dot"
    return look.symbol


def _bars(marks: Sequence[FrontierMark], look: Look) -> dict[str, Any]:
    found = {}
    for axis in ("x", "y"):
        readings: list[Reading] = [getattr(mark, axis) for mark in marks]
        if any(reading.ends for reading in readings):
            values, lows, highs = zip(*((each.value, each.low, each.high) for each in readings), strict=True)
            found[f"error_{axis}"] = error_bars(values, lows, highs, thickness=0.8, width=0, color=f"{look.colour}80")
    return found
