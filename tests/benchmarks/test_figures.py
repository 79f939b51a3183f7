"""Statistics of samples, goals and the tables that show them."""

import json
import math
import statistics

import numpy as np
import pytest

from compecon.benchmarks.figures import Figure, Goal, Table, amount, quantile, table_text

SAMPLES = tuple(float(x) for x in range(1, 101))


def test_statistics_agree_with_the_standard_library():
    assert quantile(SAMPLES, "median") == statistics.median(SAMPLES)
    assert quantile(SAMPLES, "p95") == pytest.approx(statistics.quantiles(SAMPLES, n=20, method="inclusive")[-1])
    assert quantile(SAMPLES, "max") == max(SAMPLES)


def test_without_samples_there_is_no_statistic():
    assert math.isnan(quantile((), "median"))


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (Goal("median", 50.5), True),
        (Goal("median", 50.4), False),
        (Goal("p95", 95.05), True),
        (Goal("p95", 95.0), False),
        (Goal("max", 99.0), False),
        (None, None),
    ],
)
def test_a_goal_is_met_when_its_own_statistic_is_not_above_it(goal, met):
    assert Figure("f", "ms", SAMPLES, goal).is_met() is met


def test_a_goal_without_samples_is_neither_met_nor_missed():
    assert Figure("f", "ms", (), Goal("median", 1), instead="no browser").is_met() is None


def test_json_holds_every_sample_and_the_verdict():
    table = Table("t", (Figure("f", "ms", (1.0, 3.0), Goal("median", 2.0)),), ("a note",))
    [figure] = json.loads(json.dumps(table.fields(), allow_nan=False))["figures"]
    assert figure["samples"] == [1.0, 3.0]
    assert figure["n"] == 2
    assert figure["goal"] == {"statistic": "median", "at_most": 2.0, "met": True}


def test_a_figure_without_samples_is_json_too():
    assert Figure("f", "ms", (), instead="why").fields()["instead"] == "why"
    json.dumps(Figure("f", "ms", ()).fields(), allow_nan=False)


def test_a_table_shows_statistics_goal_and_verdict_in_columns():
    figures = (Figure("short", "ms", SAMPLES, Goal("p95", 90)), Figure("a longer label", "×", (2.0,), Goal("max", 3)))
    title, head, first, second, note = table_text(Table("title", figures, ("said",))).splitlines()
    assert title == "title"
    assert head.split() == ["median", "p95", "n", "goal", "met"]
    assert first.split("  ")[-1] == "NO"
    assert second.split("  ")[-1] == "yes"
    assert first.index("p95 ≤ 90 ms") == second.index("max ≤ 3 ×") == head.index("goal")
    assert note == "  · said"


def test_a_figure_without_numbers_says_why_in_their_place():
    [*_, line] = table_text(Table("title", (Figure("f", "ms", (), instead="no browser"),))).splitlines()
    assert line.split() == ["f", "no", "browser"]


@pytest.mark.parametrize(("value", "text"), [(0.5, "0.50 s"), (12.34, "12.3 s"), (1234.5, "1234 s"), (3.0, "3 s")])
def test_an_amount_shows_what_matters(value, text):
    assert amount(value, "s") == text


def test_numpy_numbers_print_like_others():
    assert amount(np.float64(2.5), "ms") == "2.50 ms"
