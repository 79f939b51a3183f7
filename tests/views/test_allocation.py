"""What the Allocation page shows, against the library and against definitions."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.state.allocation_choice import AllocationChoice, AllocationView
from compecon.allocation.bounded import Allocation
from compecon.allocation.clearing import clear
from compecon.allocation.rules import RULES
from compecon.allocation.rules.shadow_price import ShadowPrice
from compecon.allocation.streams.bundled_streams import list_streams, open_stream
from compecon.allocation.streams.curves_file import read_curves
from compecon.allocation.streams.stream import Stream, read_stream
from compecon.allocation.streams.synthetic import MIXTURES
from compecon.allocation.units import counted_as_one
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.views.allocation.canvas_data import canvas_table
from compecon.views.allocation.choice_names import REASONS, Belief
from compecon.views.allocation.curve_lines import demand_curve, query_curves
from compecon.views.allocation.gains import gain_sentence, gains_of, measured_gains
from compecon.views.allocation.market_data import MOST_QUERIES, Market, drawn_market, formula_market, measured_market
from compecon.views.allocation.query_table import (
    allocation_json,
    courses_rows,
    query_rows,
    rows_csv,
    table_csv,
    table_json,
)
from compecon.views.allocation.quoted_streams import agreement, quoted_ratios, quoted_source
from compecon.views.allocation.rule_view import (
    budget_point,
    budget_points,
    left_out,
    reasons,
    rule_for,
    rule_note,
    rules_for,
    stops,
)
from compecon.views.allocation.rules_compared import RatioPoint, on_frontier, ratios, rule_courses


def few(n: int = 40) -> Market:
    name = "sentiment-sizes"
    entry = next(entry for entry in list_streams() if entry.name == name)
    return measured_market(open_stream(name).part(range(n)), entry)


def drawn(noise: float = 0.0) -> Market:
    return drawn_market(MIXTURES["Balanced"], "surge", noise, n_queries=30)


@pytest.fixture(scope="module")
def measured() -> Market:
    return few()


@pytest.mark.parametrize("rule", [name for name in RULES if not RULES.make(name).needs_truth])
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
        assert point.bound == ShadowPrice().allocate(market.truth, point.budget).upper_bound
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
    assert f"an even sample of {MOST_QUERIES}" in market.description


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
    assert market.description.startswith("From your file: 1 queries.")


def test_a_level_is_called_by_its_own_query_and_notes_are_said(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("query,model,correct,tokens,x{0}\na,s,1,9,\na,c,0,2,\nb,s,1,3,\nb,c,1,5,\n")
    market = measured_market(read_stream(path))
    assert [market.level_of(query, 4.0) for query in (0, 1)] == ["c", "s"]
    assert [market.level_of(query, 1.0) for query in (0, 1)] == ["", ""]
    assert "named by model" in market.description
    assert "x{0}" in market.description


def test_curves_of_a_formula_make_a_market_whose_bar_ends_where_all_have_nearly_enough(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("query,threshold,decay,ceiling\n" + "".join(f"q{n},{9 + n},0.1,0.9\n" for n in range(700)))
    named = read_curves(path)
    market = formula_market("mine", named.queries, named.utility)
    assert len(market.queries) == MOST_QUERIES
    values = [point.value for point in budget_points(market, "shadow-price-repaired")]
    assert values[0] == 0
    assert values[-1] > 0.95 * market.truth.value(market.truth.most).sum()
    assert canvas_table(market, budget_points(market, "uniform"))["unit"] == "tokens"


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
    assert reasons(curves, found) == (0, 9, 6, 2, 4)
    words = [REASONS[code].split(" ")[0].strip(":,") for code in (0, 9, 6, 2, 4)]
    assert words == ["funded", "abandoned", "gets", "abandoned", "abandoned"]
    unpriced = Allocation(found.spend, 1.0, None, 2.0)
    assert [REASONS[code].split(" ")[0] for code in reasons(curves, unpriced)] == ["funded", *["gets"] * 4]


@pytest.mark.parametrize("market", [few(), drawn()])
def test_abandoned_by_the_price_means_that_no_spend_has_a_surplus(market: Market) -> None:
    for point in budget_points(market, "shadow-price", every=7):
        spends = np.linspace(0, 800, 900)[:, None] * np.ones(len(market.queries))
        best = (market.seen.value(spends) - (point.price or 0.0) * spends).max(axis=0)
        dear = np.array(point.reasons) == 2
        assert (best[dear] <= 1e-9).all()


@pytest.mark.parametrize("market", [few(), drawn()])
def test_lines_to_draw_run_through_the_curves(market: Market) -> None:
    for agent, curve in enumerate(query_curves(market)):
        assert list(curve.spends) == sorted(curve.spends)
        for spend, value in zip(curve.spends, curve.values, strict=True):
            worth = [market.seen.take([agent]).value(np.array([x]))[0] for x in (spend, spend * (1 - 1e-12))]
            assert any(value == pytest.approx(each) for each in worth)


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
    assert told["source"] == measured.description


def test_the_canvas_gets_every_budget(measured: Market) -> None:
    points = budget_points(measured, "uniform")
    table = canvas_table(measured, points)
    json.dumps(table, allow_nan=False)
    assert table["points"]["budget"] == list(measured.budgets)
    assert table["prices"] == [None] * len(points)
    assert [[int(code) for code in row] for row in table["reasons"]] == [list(point.reasons) for point in points]
    np.testing.assert_allclose(table["spends"], [point.spends for point in points], rtol=1e-4)


# ---- which rules, and what is told of them


@pytest.mark.parametrize("belief", ["chance", "surge"])
def test_a_rule_that_is_left_out_says_why_and_the_others_are_offered(belief: Belief) -> None:
    market = drawn_market(MIXTURES["Balanced"], belief, 0.0, n_queries=8)
    told = {name for name in RULES if RULES.make(name).needs_truth}
    assert set(rules_for(market)) | set(left_out(market)) | told == set(RULES)
    assert bool(left_out(market)) is (belief == "chance")
    assert all("proof" in reason for reason in left_out(market).values())


@pytest.mark.parametrize("name", [entry.name for entry in list_streams()])
def test_no_bundled_stream_opens_on_nothing(name: str) -> None:
    market = measured_market(open_stream(name))
    default, place = AllocationChoice().rule, AllocationView().budget
    assert default in rules_for(market)
    points = {rule: budget_point(market, rule_for(market, rule), place) for rule in rules_for(market)}
    opened = points[default]
    assert opened.abandoned < len(market.queries)
    assert opened.value > 0
    assert opened.price is not None
    assert opened.price > 0
    assert {rule: point.value for rule, point in points.items() if point.value > opened.value} == {}


def test_a_slow_rule_is_computed_at_fewer_stops_and_says_so() -> None:
    market = drawn_market(MIXTURES["Balanced"], "chance", 0.0, n_queries=8)
    places = stops(market, "knapsack-exact")
    assert places == (*range(0, 60, 3), 60)
    assert f"at {len(places)} of the bar's {len(market.budgets)} budgets" in rule_note(market, "knapsack-exact")
    points = budget_points(market, "knapsack-exact")
    assert tuple(point.place for point in points) == places
    assert canvas_table(market, points)["places"] == list(places)
    assert stops(few(8), "knapsack-exact") == tuple(range(81))


@pytest.mark.parametrize("name", ["sentiment-keys", "sentiment-sizes"])
def test_the_exact_knapsack_is_nowhere_below_another_rule(name: str) -> None:
    market = measured_market(open_stream(name).part(range(40)))
    exact = {point.place: point.value for point in budget_points(market, "knapsack-exact", every=10)}
    for rule in rules_for(market):
        for point in budget_points(market, rule, every=10):
            assert point.value <= exact[point.place]


@pytest.mark.parametrize(
    ("levels", "unit"),
    [([1.0, 16.0], 1.0), ([9.3, 95.1], 0.1), ([0.001, 0.002], 1e-6), ([1000.0, 200_000.0], 100.0), ([0.0, 0.0], 1.0)],
)
def test_a_unit_of_the_knapsack_leaves_hundreds_to_thousands_of_them(levels: list[float], unit: float) -> None:
    market = measured_market(Stream("x", ("a",), np.array([levels]), np.ones((1, 2))))
    assert counted_as_one(market.seen) == pytest.approx(unit)


def test_elastic_split_gives_everybody_the_first_level_and_says_so(measured: Market) -> None:
    point = budget_points(measured, "elastic-split", every=80)[1]
    first = measured.seen.levels[:, 0]  # type: ignore[attr-defined]
    assert (np.array(point.spends) >= first * (1 - 1e-9)).all()
    kept = np.array(point.spends) <= first * (1 + 1e-9)
    right = measured.seen.value(np.array(point.spends)) > 0
    assert [code == 7 for code in point.reasons] == (kept & right).tolist()
    assert [code == 6 for code in point.reasons] == (~right).tolist()
    assert "smallest measured" in rule_note(measured, "elastic-split")


# ---- quoted, and joined


def test_quoted_ratios_are_those_of_the_draft_figure_within_its_reading() -> None:
    found = quoted_ratios("Balanced")
    first = next(point for point in found if point.budget == 200)
    assert first.ratio == pytest.approx(16.8 / 3.2)
    assert first.low < first.ratio < first.high
    assert all(point.uniform * 500 >= 5 for point in found)
    assert "draft" in quoted_source()
    assert quoted_ratios("sentiment-keys") == ()
    assert set(MIXTURES) == {name for name in MIXTURES if quoted_ratios(name)}


def test_courses_agree_with_themselves_and_by_their_factor() -> None:
    quoted = quoted_ratios("UShaped")
    same = [RatioPoint("x", point.budget, point.ratio, 9) for point in quoted]
    found = agreement(same, quoted)
    assert found is not None
    assert (found.n, found.factor, found.worst, found.rank) == pytest.approx((len(quoted), 1, 1, 1))
    double = agreement([replace(point, ratio=2 * point.ratio) for point in same], quoted)
    assert double is not None
    assert (double.factor, double.worst) == pytest.approx((2, 2))
    assert agreement(same[:2], quoted) is None


def test_the_bundled_gains_say_what_is_hindsight() -> None:
    streams = {entry.name for entry in list_streams()}
    assert {gain.stream for gain in measured_gains()} == streams
    for name in streams:
        stream, found = open_stream(name), gains_of(name)
        np.testing.assert_allclose([gain.same for gain in found], stream.correct.mean(axis=0), atol=1e-6)
        assert all(gain.hindsight.low >= 0 for gain in found)
        assert "known outcomes" in gain_sentence(found)


def test_numbers_leave_with_where_they_come_from() -> None:
    rows = courses_rows(rule_courses(drawn(), with_oracle=False))
    text = table_csv(rows, {"stream": "Balanced", "source": "two\nlines"})
    head, body = text.split("\n", 2)[:2], text.split("\n", 2)[2]
    assert head == ["# stream: Balanced", "# source: two lines"]
    assert len(list(csv.DictReader(io.StringIO(body)))) == len(rows)
    told = json.loads(table_json(rows, {"stream": "Balanced"}))
    assert told["provenance"] == {"stream": "Balanced"}
    assert told["rows"][0]["rule"] == rows[0]["rule"]
