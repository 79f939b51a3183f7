"""The frontier as a figure: what is drawn of a view, how it is told apart, and that nothing in it is not a number."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.canvas_data.frontier_figure import PAPER, figure_data
from app.canvas_data.plot_style import COLOURS, looks
from app.frontier.frontier_plot import frontier_figure
from app.frontier.plot_files import plot_page, report_page
from compecon.views.frontier.drawn import BudgetCurve, Family, FrontierAxes, FrontierMark, FrontierView, Standing
from compecon.views.frontier.frontier_points import FrontierPoint, Reading
from compecon.views.frontier.frontier_report import frontier_report

BUDGETS = (1, 4, None)


def mark(key: str, family: str, x: float, y: float, standing: Standing = "tied", **more: Any) -> FrontierMark:
    state = standing if standing in ("running", "failed") else "done"
    given = {"origin": "quoted" if standing == "quoted" else "local", "state": state, "task": "sst2", **more}
    point = FrontierPoint(key, f"name of {key}", family, metric="accuracy", split="test", quality=Reading(y), **given)
    reading = Reading(y, y - 0.01, y + 0.02)
    return FrontierMark(point, Reading(x), reading, reading, standing)


def family(name: str, *marks: FrontierMark, front: tuple[str, ...] = ()) -> Family:
    is_quoted = all(each.standing == "quoted" for each in marks)
    return Family(name, tuple(sorted(marks, key=lambda each: each.x.value)), front, None if is_quoted else 0.1)


def view(*families: Family, curves: tuple[BudgetCurve, ...] = (), **axes: Any) -> FrontierView:
    return FrontierView(
        axes=FrontierAxes("sst2", "share", **axes),
        x_title="cost",
        y_title="quality",
        reference=(1.0, 0.0),
        families=families,
        front=(),
        volume=None,
        budgets=BUDGETS if curves else (),
        curves=curves,
        left_out=(),
        notes=(),
    )


WHOLE = view(
    family("dense", mark("d", "dense", 1.0, 0.86, "front")),
    family(
        "incentive",
        mark("a", "incentive", 0.3, 0.84, "front"),
        mark("b", "incentive", 0.5, 0.85),
        mark("c", "incentive", 0.6, 0.83, "dominated"),
        mark("r", "incentive", 0.7, 0.80, "running"),
        mark("f", "incentive", 0.8, 0.79, "failed"),
        front=("a", "b"),
    ),
    family("quoted", mark("q", "quoted", 0.4, 0.81, "quoted", setting="BERT-base, GLUE dev")),
    curves=(
        BudgetCurve("a", "incentive", (0.3, 0.3, 0.3), (0.6, 0.8, 0.84)),
        BudgetCurve("b", "incentive", (None, 0.5, 0.5), (None, 0.82, 0.85)),
    ),
)


def traces(figure: Any) -> dict[tuple[str, str], Any]:
    """Traces by family and part."""
    return {(trace.meta["family"], trace.meta["part"]): trace for trace in figure.data}


def numbers(value: Any) -> Iterator[float]:
    """Every number in a JSON value."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from numbers(each)
    elif isinstance(value, float):
        yield value


def test_each_mark_is_drawn_once_at_its_place() -> None:
    drawn = [
        (key, x, y)
        for trace in frontier_figure(WHOLE).data
        if trace.customdata
        for (key,), x, y in zip(trace.customdata, trace.x, trace.y, strict=True)
    ]
    assert sorted(drawn) == sorted((m.point.key, m.x.value, 100 * m.y.value) for m in WHOLE.marks), "in points"


def test_standings_are_told_apart_without_colour() -> None:
    found = traces(frontier_figure(WHOLE))
    symbols = dict(
        zip(
            [key for (key,) in found["incentive", "marks"].customdata],
            found["incentive", "marks"].marker.symbol,
            strict=True,
        )
    )
    assert symbols == {"a": "circle", "b": "circle-dot", "r": "circle-open", "f": "x"}
    assert found["incentive", "dominated"].opacity < 0.5
    assert list(found["incentive", "rings"].x) == [0.3]
    assert list(found["dense", "rings"].x) == [1.0]
    assert list(found["quoted", "marks"].marker.symbol) == ["diamond-open"]


def test_a_front_is_a_staircase_through_its_points() -> None:
    front = traces(frontier_figure(WHOLE))["incentive", "front"]
    assert (list(front.x), list(front.y), front.line.shape) == ([0.3, 0.5], [84.0, 85.0], "hv")


def test_an_elastic_checkpoint_is_one_line_through_its_sizes_with_an_entry_of_its_own() -> None:
    sizes = [(1.0, 0.85, "front"), (0.3, 0.84, "tied"), (0.6, 0.86, "dominated")]
    marks = [mark(f"e{b}", "elastic, e", b, y, standing, budget=b) for b, y, standing in sizes]
    figure = frontier_figure(view(family("dense", mark("d", "dense", 1.0, 0.86)), family("elastic, e", *marks)))
    found = traces(figure)
    line = found["elastic, e", "sizes"]
    assert (list(line.x), list(line.y), line.line.shape) == ([0.3, 0.6, 1.0], [84.0, 86.0, 85.0], "linear")
    assert ("dense", "sizes") not in found
    assert ("elastic, e", "front") not in found
    assert sorted(trace.name for trace in figure.data if trace.showlegend) == ["dense", "elastic, e"]
    assert "<b>name of e0.3</b>" in found["elastic, e", "marks"].hovertext[0]


def test_a_family_has_one_entry_in_the_legend_and_quoted_ones_a_group_that_says_so() -> None:
    figure = frontier_figure(WHOLE)
    assert sorted(trace.name for trace in figure.data if trace.showlegend) == ["dense", "incentive", "quoted"]
    assert {trace.legendgroup for trace in figure.data if trace.name == "incentive"} == {"incentive"}
    assert "different settings" in traces(figure)["quoted", "marks"].legendgrouptitle.text


def test_all_curves_of_a_family_are_one_trace_with_gaps() -> None:
    curves = traces(frontier_figure(WHOLE))["incentive", "curves"]
    assert curves.meta["keys"] == ["a", "b"]
    stops = curves.meta["stops"]
    for order, curve in enumerate(WHOLE.curves):
        at = order * (stops + 1)
        assert tuple(curves.x[at : at + stops]) == curve.xs
        assert tuple(curves.y[at : at + stops]) == tuple(None if y is None else 100 * y for y in curve.ys)
        assert curves.y[at + stops] is None


def test_bars_end_where_intervals_do_and_never_point_inwards() -> None:
    skewed = replace(
        WHOLE.families[0].marks[0], y=Reading(0.86, 0.87, 0.9)
    )  # an interval that does not hold its number
    bars = traces(frontier_figure(view(family("dense", skewed))))["dense", "marks"].error_y
    assert (bars.array[0], bars.arrayminus[0]) == (pytest.approx(4), 0.0)
    whole = traces(frontier_figure(WHOLE))["incentive", "marks"].error_y
    assert whole.array[0] == pytest.approx(2)
    assert whole.arrayminus[0] == pytest.approx(1)


def test_a_hover_says_what_it_is_and_whose() -> None:
    [told] = traces(frontier_figure(WHOLE))["quoted", "marks"].hovertext
    assert "different setting: BERT-base, GLUE dev" in told
    assert "as quoted" in told
    assert "measured" in traces(frontier_figure(WHOLE))["dense", "marks"].hovertext[0]


def test_names_are_no_markup() -> None:
    evil = mark("e", "dense", 1.0, 0.8)
    evil = replace(evil, point=replace(evil.point, name="<b>x</b><a href='//evil'>&", source="<img src=x>"))
    [told] = traces(frontier_figure(view(family("dense", evil))))["dense", "marks"].hovertext
    assert "<a" not in told
    assert "<img" not in told
    assert "&lt;a href=" in told


@pytest.mark.parametrize("is_log", [False, True])
@pytest.mark.parametrize("y", ["quality", "change"])
def test_nothing_in_the_figure_is_not_finite(y: Any, is_log: bool) -> None:
    shown = replace(WHOLE, axes=FrontierAxes("sst2", "share", y, is_log))
    written = figure_data(shown)
    assert all(math.isfinite(each) for each in numbers(written))
    assert written["layout"]["xaxis"]["type"] == ("log" if is_log else "linear")


def test_nothing_to_show_is_an_empty_figure() -> None:
    assert len(frontier_figure(view()).data) == 0


def test_one_that_lost_everything_does_not_press_the_others_into_a_line() -> None:
    near = [mark(f"n{i}", "taylor", 0.3 + i / 20, 0.80 + i / 200) for i in range(8)]
    far = mark("z", "taylor", 0.3, 0.1, "dominated")
    low, high = frontier_figure(view(family("taylor", *near, far))).layout.yaxis.range
    assert 10 < low < 79
    assert high > 85.5
    assert frontier_figure(view(family("taylor", *near))).layout.yaxis.range is None


def test_two_families_never_look_the_same() -> None:
    names = (
        "dense", "dense, trained longer", "incentive", "incentive, heads only", "incentive, neurons only", "any budget",
        "taylor", "taylor, no recovery", "fisher", "fisher, no recovery", "magnitude", "uniform", "random",
        "fixed price", "a kind of one's own", "another one", "elastic, a", "elastic, b",
    )  # fmt: skip
    for theme in ("light", "dark"):
        found = looks([family(name, mark(name, name, 0.5, 0.8)) for name in names], theme)
        assert len({(look.colour, look.symbol) for look in found.values()}) == len(names)
        assert set(looks([family("taylor", mark("t", "taylor", 0.5, 0.8))], theme).values()) == {found["taylor"]}


def test_colours_of_one_paper_are_none_of_the_others() -> None:
    """The page replaces each light colour by its dark one."""
    light, dark = ([*PAPER[theme], *COLOURS[theme]] for theme in ("light", "dark"))
    assert len(set(light)) == len(light) == len(dark)
    assert not {each.lower() for each in light} & {each.lower() for each in dark}


def test_pages_stand_alone() -> None:
    for page in (plot_page(WHOLE), report_page(WHOLE, frontier_report(WHOLE))):
        assert "name of a" in page
        assert 'src="http' not in page
        assert page.lstrip().lower().startswith(("<!doctype html>", "<html>"))
