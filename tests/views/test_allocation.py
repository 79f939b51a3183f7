"""What the Allocation page shows, against the library and against definitions."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from compecon.market.allocation import Allocation
from compecon.market.bundled import list_streams, open_stream
from compecon.market.clearing import clear
from compecon.market.measured import MeasuredCurve
from compecon.market.stream import Stream, read_stream
from compecon.market.synthetic import MIXTURES
from compecon.views.allocation import (
    budget_points,
    reasons,
    wilson,
)
from compecon.views.allocation_canvas import canvas_table
from compecon.views.allocation_choices import rule_for, rules_for
from compecon.views.allocation_curves import demand_curve, query_curves
from compecon.views.allocation_rules import on_frontier, ratios, rule_courses
from compecon.views.allocation_table import allocation_json, query_rows, rows_csv
from compecon.views.allocation_words import REASONS, RULES
from compecon.views.market import MOST_QUERIES, Market, drawn_market, measured_market


def few(n: int = 40) -> Market:
    name = "sentiment-sizes"
    entry = next(entry for entry in list_streams() if entry.name == name)
    return measured_market(open_stream(name).part(range(n)), entry)


def drawn(noise: float = 0.0) -> Market:
    return drawn_market(MIXTURES["Balanced"], "surge", noise, n_queries=30)


@pytest.fixture(scope="module")
def measured() -> Market:
    return few()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", ["measured", "drawn"])
def test_every_budget_of_the_bar_is_what_the_library_computes(rule: str, kind: str) -> None:
    market = few(12) if kind == "measured" else drawn()
    if rule not in rules_for(market):
        pytest.skip("does not fit these curves")
    for point in budget_points(market, rule, every=17):
        found = rule_for(market, rule).allocate(market.seen, point.budget)
        assert point.spends == tuple(found.spend)
        assert (point.price, point.handed) == (found.price, found.spent)
        assert point.value == pytest.approx(found.value)
        assert point.bound == clear(market.truth, point.budget).upper_bound
        assert point.abandoned == sum(spend == 0 for spend in point.spends)
        assert point.handed <= point.budget
        assert point.used <= point.handed * (1 + 1e-12)


@pytest.mark.parametrize("market", [few(), drawn(), measured_market(open_stream("sentiment-keys"))])
def test_a_bar_has_sixty_to_a_hundred_rising_budgets_from_nothing_to_enough(market: Market) -> None:
    assert 60 <= len(market.budgets) <= 100
    assert market.budgets[0] == 0
    assert (np.diff(market.budgets) > 0).all()
    assert clear(market.seen, float(market.budgets[-1])).price == pytest.approx(0, abs=1e-9)


def test_a_longer_stream_is_cut_and_says_so() -> None:
    n = MOST_QUERIES + 7
    stream = Stream("long", tuple(map(str, range(n))), np.ones((n, 1)), np.ones((n, 1)))
    market = measured_market(stream)
    assert len(market.queries) == MOST_QUERIES
    assert f"The first {MOST_QUERIES} of {n} are shown." in market.told


def test_macs_are_counted_in_millions_and_answers_stay_the_same(measured: Market) -> None:
    curves = open_stream("sentiment-sizes").part(range(40)).curves()
    spend = np.full(40, 31.5)
    assert measured.unit == "million MACs"
    np.testing.assert_array_equal(measured.correct(spend), curves.value(spend * 1e6))


def test_what_a_level_leaves_over_is_not_used(measured: Market) -> None:
    levels = np.atleast_2d(measured.seen.levels)  # type: ignore[attr-defined]
    used = measured.used(levels[:, 0] * 1.2)
    np.testing.assert_allclose(used, levels[:, 0])
    np.testing.assert_array_equal(measured.used(levels[:, 0] * 0.5), 0)


def test_tokens_of_a_file_are_what_is_used(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("query,budget,correct,tokens\na,100,0,100\na,200,1,130\n")
    market = measured_market(read_stream(path))
    np.testing.assert_array_equal(market.used(np.array([200.0])), [130.0])
    assert market.told.startswith("From your file: 1 queries.")


def test_noise_moves_what_rules_see_and_not_the_truth() -> None:
    exact, noisy = drawn(), drawn(0.5)
    assert exact.seen is exact.truth
    np.testing.assert_array_equal(noisy.truth.thresholds, exact.truth.thresholds)
    assert (noisy.seen.thresholds != noisy.truth.thresholds).all()
    for point in budget_points(noisy, "shadow-price", every=9):
        assert point.value == pytest.approx(float(noisy.truth.value(np.array(point.spends)).sum()))
        assert point.value <= point.bound * (1 + 1e-9)


def test_each_query_has_its_reason() -> None:
    curves = MeasuredCurve(np.array([[1.0], [1.0], [2.0], [4.0], [1.0]]), np.array([[1.0], [1.0], [1.0], [1.0], [0.0]]))
    found = Allocation(np.array([1.0, 0.0, 1.0, 0.0, 0.0]), 1.0, 0.5, 2.0)
    words = [REASONS[code].split(":")[0] for code in reasons(curves, found)]
    assert words == ["funded", "abandoned", "given something that buys it nothing", "abandoned", "abandoned"]
    assert [reasons(curves, found)[place] for place in (1, 3, 4)] == [9, 2, 4]
    unpriced = Allocation(found.spend, 1.0, None, 2.0)
    assert [REASONS[code].split(" ")[0] for code in reasons(curves, unpriced)] == ["funded", *["given"] * 4]


@pytest.mark.parametrize("market", [few(), drawn()])
def test_abandoned_by_the_price_means_that_no_spend_has_a_surplus(market: Market) -> None:
    for point in budget_points(market, "shadow-price", every=7):
        spends = np.linspace(0, 800, 900)[:, None] * np.ones(len(market.queries))
        best = (market.seen.value(spends) - (point.price or 0.0) * spends).max(axis=0)
        dear = np.array(point.reasons) == 2
        assert (best[dear] <= 1e-9).all()


@pytest.mark.parametrize(("right", "n"), [(0, 7), (3, 10), (400, 400), (123, 500)])
def test_the_interval_is_wilsons(right: int, n: int) -> None:
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert wilson(right, n) == pytest.approx((right / n, expected.low, expected.high))


@pytest.mark.parametrize("market", [few(), drawn()])
def test_lines_to_draw_run_through_the_curves(market: Market) -> None:
    for agent, curve in enumerate(query_curves(market)):
        assert list(curve.spends) == sorted(curve.spends)
        for spend, value in zip(curve.spends, curve.values, strict=True):
            at, before = market.seen.value_of(agent, spend), market.seen.value_of(agent, spend * (1 - 1e-12))
            assert value == pytest.approx(at) or value == pytest.approx(before)


@pytest.mark.parametrize("market", [few(), drawn()])
def test_demand_falls_with_the_price_and_is_everybodys(market: Market) -> None:
    curve = demand_curve(market)
    assert list(curve.prices) == sorted(curve.prices, reverse=True)
    assert list(curve.totals) == sorted(curve.totals)
    for price, total in list(zip(curve.prices, curve.totals, strict=True))[::25]:
        assert total == pytest.approx(sum(market.seen.demand_of(n, price) for n in range(len(market.queries))))


def test_rules_side_by_side_have_the_same_budgets_and_ratios_to_uniform() -> None:
    market = drawn(0.4)
    courses = rule_courses(market, with_oracle=True)
    assert [course.name for course in courses] == [*rules_for(market), "oracle"]
    assert {tuple(point.budget for point in course.points) for course in courses} == {tuple(market.budgets[::3])}
    by_label = {course.label: course for course in courses}
    uniform = {point.budget: point for point in by_label["Uniform"].points}
    for ratio in ratios(courses, 30):
        base = uniform[min(uniform, key=lambda budget, each=ratio: abs(budget - each.mean_budget * 30))]  # type: ignore[misc]
        mine = next(point for point in by_label[ratio.rule].points if point.budget == base.budget)
        assert ratio.ratio * base.accuracy == pytest.approx(mine.accuracy)
        assert ratio.n_uniform >= 5


def test_on_the_frontier_nobody_answers_more_with_less(measured: Market) -> None:
    courses = rule_courses(measured, with_oracle=False)
    points = [point for course in courses for point in course.points]
    for course, front in zip(courses, on_frontier(courses), strict=True):
        for point, best in zip(course.points, front, strict=True):
            beaten = any(
                other.used <= point.used
                and other.accuracy >= point.accuracy
                and (other.used, other.accuracy) != (point.used, point.accuracy)
                for other in points
            )
            assert best is not beaten


@pytest.mark.parametrize("rows", ["a,0,0\n", "a,5,0\n", "a,5,1\n", "".join(f"a,{n},{n % 2}\n" for n in range(200))])
def test_odd_files_have_a_bar_and_curves(tmp_path: Path, rows: str) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(f"query,budget,correct\n{rows}")
    market = measured_market(read_stream(path))
    table = canvas_table(market, budget_points(market, "shadow-price", every=10))
    json.dumps(table, allow_nan=False)
    assert (np.diff(market.budgets) > 0).all()
    assert len(table["curves"][0][0]) <= 100


def test_the_table_is_sorted_by_surplus_and_exported_as_shown(measured: Market) -> None:
    [point] = [budget_points(measured, "shadow-price")[25]]
    rows = query_rows(measured, point, query_curves(measured))
    assert [row.surplus for row in rows] == sorted((row.surplus for row in rows), reverse=True)
    for row in rows:
        assert row.surplus == pytest.approx(row.value - (point.price or 0) * row.spend)
        assert "{" not in row.why
    read = list(csv.DictReader(io.StringIO(rows_csv(rows))))
    assert [line["query"] for line in read] == [row.query for row in rows]
    told = json.loads(allocation_json(measured, "shadow-price", point, rows))
    assert sum(query["spend"] for query in told["queries"]) == pytest.approx(told["handed"])
    assert told["source"] == measured.told


def test_the_canvas_gets_every_budget(measured: Market) -> None:
    points = budget_points(measured, "uniform")
    table = canvas_table(measured, points)
    json.dumps(table, allow_nan=False)
    assert table["points"]["budget"] == list(measured.budgets)
    assert table["prices"] == [None] * len(points)
    assert [[int(code) for code in row] for row in table["reasons"]] == [list(point.reasons) for point in points]
    np.testing.assert_allclose(table["spends"], [point.spends for point in points], rtol=1e-4)
