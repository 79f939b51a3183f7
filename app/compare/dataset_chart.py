"""Two checkpoints against the key budget, and head by head, as Vega-Lite figures with bands."""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any, Literal

import altair as alt
import pandas as pd

from compecon.views.compare.compared_heads import HeadRow
from compecon.views.compare.dataset_text import LEVEL_COLUMNS, level_rows
from compecon.views.compare.paired_rows import DatasetView

COLOURS = {"A": "#7c5cc4", "B": "#c8701a"}  # purple and orange: apart for every kind of eye, on light and on dark
_DASHES = {"A": [1, 0], "B": [5, 3]}
_GREY = "#888888"
_HEIGHT = 260


def level_table(view: DatasetView, statistic: str, *, is_difference: bool) -> pd.DataFrame:
    """What a figure of `level_figure` is drawn from."""
    rows = [row for row in level_rows(view) if row[1] == statistic and (row[2] == "A - B") is is_difference]
    table = pd.DataFrame(rows, columns=list(LEVEL_COLUMNS))
    return table.astype({"value": float, "low": float, "high": float})


def level_figure(view: DatasetView, title: str, *, is_difference: bool) -> dict[str, Any]:
    """Lines with their bands over the key budget, as a Vega-Lite object without its data; of a difference, with 0."""
    order = tuple("all" if level.keys is None else str(level.keys) for level in view.levels)
    return copy.deepcopy(_figure(order, title, is_difference=is_difference))


@lru_cache(maxsize=64)
def _figure(order: tuple[str, ...], title: str, *, is_difference: bool) -> dict[str, Any]:
    base = alt.Chart(alt.NamedData(name="levels"))
    x = alt.X("keys:N", sort=list(order), title="keys each query may read", axis=alt.Axis(labelAngle=0))
    tips = ["of:N", "keys:N", *(alt.Tooltip(f"{name}:Q", format=".4f") for name in ("value", "low", "high"))]
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(format=".3~g", tickCount=5))
    colour: Any = alt.value(_GREY)
    dash: Any = alt.value([1, 0])
    if not is_difference:
        legend = alt.Legend(
            title=None, orient="bottom", symbolType="stroke", symbolStrokeWidth=3, symbolOpacity=1, symbolSize=400
        )
        names = list(COLOURS)
        colour = alt.Color("of:N", scale=alt.Scale(domain=names, range=list(COLOURS.values())), legend=legend)
        dash = alt.StrokeDash("of:N", scale=alt.Scale(domain=names, range=list(_DASHES.values())), legend=legend)
    parts = [
        base.mark_area(opacity=0.22).encode(
            x=x, y=alt.Y("low:Q", title=None, scale=alt.Scale(zero=False)), y2="high:Q", color=colour
        ),
        base.mark_line(strokeWidth=2, point=True).encode(x=x, y=y, color=colour, strokeDash=dash, tooltip=tips),
    ]
    if is_difference:
        parts.insert(0, base.mark_rule(strokeDash=[2, 3], color=_GREY).encode(y=alt.YDatum(0)))
    figure: dict[str, Any] = (
        alt.layer(*parts).properties(height=_HEIGHT if is_difference else _HEIGHT + 30, title=title).to_dict()
    )
    return _without_data(figure)


def head_table(heads: tuple[HeadRow, ...], statistic: Literal["gini", "entropy"]) -> pd.DataFrame:
    """What `head_figure` is drawn from: a line a head, with the difference where both have it."""
    rows = []
    for each in heads:
        a, b = (getattr(each, f"{statistic}_{side}") for side in ("a", "b"))
        band = getattr(each, statistic)
        mark = "" if a is not None and b is not None else "A" if b is None else "B"
        rows.append((each.layer, each.head, a, b, band.value, band.low, band.high, mark))
    table = pd.DataFrame(rows, columns=["layer", "head", "a", "b", "difference", "low", "high", "only"])
    return table.astype(dict.fromkeys(("a", "b", "difference", "low", "high"), float))


def head_figure(table: pd.DataFrame, title: str) -> dict[str, Any]:
    """Layers by heads, coloured by A - B as in `head_table`; a letter marks a head that only that model has."""
    largest = float(table["difference"].abs().max()) if len(table) else 0.0
    base = alt.Chart(alt.NamedData(name="heads"))
    axes: dict[str, Any] = {
        "x": alt.X("head:O", title="head", axis=alt.Axis(labelAngle=0)),
        "y": alt.Y("layer:O", title="layer"),
    }
    tips = [
        *("layer:O", "head:O"),
        *(alt.Tooltip(f"{name}:Q", format=".4f") for name in ("a", "b", "difference", "low", "high")),
    ]
    span = largest if largest > 0 else 1.0
    colour = alt.Color(
        "difference:Q",
        scale=alt.Scale(domain=[-span, 0, span], range=["#2166ac", "#f7f7f7", "#b2182b"]),
        legend=alt.Legend(title="A − B", format="+.2f"),
    )
    both = base.transform_filter("datum.only == ''").mark_rect().encode(color=colour, tooltip=tips, **axes)
    alone = base.transform_filter("datum.only != ''")
    letters = alone.mark_text(fontSize=11, color=_GREY).encode(text="only:N", tooltip=tips, **axes)
    n_layers = int(table["layer"].nunique()) if len(table) else 1
    figure: dict[str, Any] = alt.layer(both, letters).properties(height=34 * n_layers + 130, title=title).to_dict()
    return _without_data(figure)


def _without_data(figure: dict[str, Any]) -> dict[str, Any]:
    """The figure alone: its data comes with the call that draws it."""
    for part in (figure, *figure["layer"]):
        part.pop("data", None)
    return figure
