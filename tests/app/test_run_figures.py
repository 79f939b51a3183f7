"""Figures of a run's numbers: valid Vega-Lite, by the schema that Altair brings."""

from __future__ import annotations

import altair as alt
import pytest

from app.train.run_charts import curve_figure, curve_table
from compecon.views.runs.curves import Curve, Series, StageMark

RAW = Series("each step", tuple((n, n / 7) for n in range(1, 60)), is_raw=True)
MEAN = Series("mean of 25", tuple((n, n / 9) for n in range(25, 60)))
CURVES = [
    Curve("task loss", "What it is.", (RAW,)),
    Curve("task loss", "What it is.", (RAW, MEAN)),
    Curve(
        "cost", "What it is.", (Series("as priced", ((1, 1.0),)), Series("if removed now", ((1, 0.9),))), is_share=True
    ),
    Curve("quality", "What it is.", (Series('a "quoted" [name]', ((1, 0.5),)),)),
]
STAGES = (StageMark("dense", 0), StageMark("incentive", 30))


@pytest.mark.parametrize("stages", [(), STAGES])
@pytest.mark.parametrize("curve", CURVES)
def test_a_figure_with_its_table_is_valid(curve: Curve, stages: tuple[StageMark, ...]) -> None:
    table = curve_table(curve)
    rows = [dict(zip(table, cells, strict=True)) for cells in zip(*table.values(), strict=True)]
    alt.Chart.from_dict({**curve_figure(curve, stages), "data": {"values": rows}}, validate=True)
    assert len(rows) == sum(len(series.points) for series in curve.series)


def test_a_line_stands_behind_its_mean_and_alone_in_front() -> None:
    alone, both = (curve_figure(curve)["layer"] for curve in CURVES[:2])
    assert [layer["transform"][0]["filter"]["oneOf"] for layer in alone] == [["each step"]]
    assert [layer["transform"][0]["filter"]["oneOf"] for layer in both] == [["each step"], ["mean of 25"]]


def test_a_stage_but_the_first_has_a_mark() -> None:
    [*_, marks] = curve_figure(CURVES[0], STAGES)["layer"]
    assert marks["data"]["values"] == [{"stage": "incentive", "step": 30}]


def test_lines_are_told_apart_without_colours() -> None:
    [layer] = curve_figure(CURVES[2])["layer"]
    dashes = layer["encoding"]["strokeDash"]["scale"]["range"]
    assert len({tuple(dash) for dash in dashes}) == 2
