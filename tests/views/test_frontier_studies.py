"""Prices, priced units, proxies of cost, and signs of failure."""

from __future__ import annotations

import pytest
from scipy.stats import rankdata

from compecon.views.frontier.ablation import ablation_view
from compecon.views.frontier.failure_signs import Shift, shift_signs, with_cliffs
from compecon.views.frontier.frontier_points import FrontierPoint, Reading
from compecon.views.frontier.names import FIXED, HEADS_ONLY, NEURONS_ONLY, family_of
from compecon.views.frontier.price_study import price_view
from compecon.views.frontier.proxies import Correlation, correlation, proxy_view
from compecon.views.frontier.study_marks import StudyMark
from tests.support.frontier import a_point, dense

# ---- prices


def test_fixed_and_shadow_prices_are_told_apart() -> None:
    shadow = a_point("shadow", 45.0, 0.8, price=2.0, target=0.45, met=False, seed=1, change=Reading(-0.1))
    fixed = a_point("fixed", 60.0, 0.85, price=1.0, family=FIXED)
    view = price_view([shadow, fixed, dense(), a_point("unpriced")], "sst2")
    assert view.marks == (
        StudyMark(fixed, "fixed", 0.6, Reading(0.85), None),
        StudyMark(shadow, "shadow", 0.45, Reading(0.8), Reading(-0.1)),
    )
    assert any("Fixed price" in one for one in view.sentences)
    assert any("Shadow price" in one for one in view.sentences)
    assert any("In 1 of 2 trainings, the gates had not met" in one for one in view.sentences)


def test_without_a_price_it_says_how_to_train_with_one() -> None:
    view = price_view([a_point()], "sst2")
    assert view.marks == ()
    assert "compecon train --target-macs" in view.sentences[0]
    assert price_view((), "sst2").marks == ()


# ---- which units pay


def priced(name: str, family: str, share: float, change: float, half: float = 0.001) -> FrontierPoint:
    return a_point(name, 100 * share, 0.8 + change, half, family=family, change=Reading(change), origin="experiment")


def test_kinds_are_compared_where_their_macs_are_equal() -> None:
    points = [
        priced("h", HEADS_ONLY, 0.80, -0.02),
        priced("n", NEURONS_ONLY, 0.805, -0.01),
        priced("b", "incentive", 0.795, -0.005),
        priced("far", "incentive", 0.3, -0.1),
        a_point("taylor", family="taylor"),
    ]
    view = ablation_view(points, "sst2")
    assert [mark.point.name for mark in view.marks] == ["h", "n", "far", "b"]
    assert view.marks[0] == StudyMark(
        points[0], "heads", 0.8, Reading(0.78, 0.78 - 0.001, 0.78 + 0.001), Reading(-0.02)
    )
    assert view.sentences == (
        "At 80% of the dense MACs attention and FFN together keep the most: attention and FFN "
        "together −0.5 points, FFN only −1.0 points, "
        "attention only −2.0 points from dense, 3 trainings.",
    )
    assert view.commands == ()


def test_an_order_within_the_intervals_is_told_to_be_chance() -> None:
    points = [priced("h", HEADS_ONLY, 0.8, -0.02, 0.05), priced("n", NEURONS_ONLY, 0.8, -0.01, 0.05)]
    assert "chance" in ablation_view(points, "sst2").sentences[0]


def test_who_is_far_behind_is_not_told_to_be_so_by_chance() -> None:
    points = [
        priced("n", NEURONS_ONLY, 0.8, -0.01, 0.02),
        priced("b", "incentive", 0.8, 0.01, 0.02),
        priced("h", HEADS_ONLY, 0.8, -0.2, 0.02),
    ]
    [told] = ablation_view(points, "sst2").sentences
    assert "attention and FFN together and FFN only overlap" in told
    assert "chance" in told


def test_lower_perplexities_beyond_the_intervals_are_no_chance() -> None:
    def of(name: str, family: str, quality: float) -> FrontierPoint:
        less = {"metric": "perplexity", "higher_is_better": False, "origin": "experiment"}
        return a_point(name, 80.0, quality, 0.5, family=family, change=Reading(quality - 19.0), **less)

    apart, close = ([of("b", "incentive", 20.0), of("n", NEURONS_ONLY, other)] for other in (30.0, 20.4))
    assert "chance" not in ablation_view(apart, "sst2").sentences[0]
    assert "chance" in ablation_view(close, "sst2").sentences[0]


def test_changes_of_one_size_and_two_signs_are_not_equal() -> None:
    points = [priced("h", HEADS_ONLY, 0.8, -0.01), priced("n", NEURONS_ONLY, 0.8, 0.01)]
    assert "FFN only keeps the most" in ablation_view(points, "sst2").sentences[0]


def test_what_is_missing_comes_with_the_commands_that_make_it() -> None:
    view = ablation_view([priced("b", "incentive", 0.45, 0.0)], "sst2")
    assert "attention only or FFN only" in view.sentences[0]
    assert view.commands[0] == (
        "compecon train --task sst2 --base sentiment --target-macs 0.8 --units heads --out sentiment-heads-80"
    )
    assert len(view.commands) == 3  # both kinds that are missing, and both units at the same cost


@pytest.mark.parametrize(
    ("method", "family"),
    [
        ("incentive-heads", HEADS_ONLY),
        ("incentive-neurons", NEURONS_ONLY),
        ("incentive", "incentive"),
        ("price 1", FIXED),
        ("", "dense"),
        ("longer", "dense, trained longer"),
        ("pruned by fisher", "fisher"),
    ],
)
def test_families_are_named_by_method(method: str, family: str) -> None:
    assert family_of(method) == family


# ---- proxies


def test_a_rank_correlation_is_pearsons_of_the_ranks() -> None:
    one, other = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0], [2.0, 7.0, 1.0, 8.0, 2.0, 8.0]
    a, b = rankdata(one), rankdata(other)
    by_hand = float(((a - a.mean()) * (b - b.mean())).sum() / (a.std() * b.std() * len(a)))
    found = correlation(one, other)
    assert found.n == 6
    assert found.rho == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], Correlation(None, 3)),
        ([1.0, 2.0, 3.0, 4.0], [5.0, 5.0, 5.0, 5.0], Correlation(None, 4)),
        ([1.0, 2.0, None, 4.0], [1.0, float("nan"), 3.0, 4.0], Correlation(None, 2)),
        ([1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0], Correlation(1.0, 4)),
        ([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0], Correlation(-1.0, 4)),
        ([], [], Correlation(None, 0)),
    ],
)
def test_too_few_or_constant_points_have_no_correlation(
    one: list[float | None], other: list[float | None], expected: Correlation
) -> None:
    assert correlation(one, other) == expected


def shaped(n: int, heads: int, neurons: int, share: float, time: float) -> FrontierPoint:
    costs = {"share": Reading(share), "latency": Reading(time), "latency: cpu": Reading(time)}
    return a_point(f"p{n}", heads=(heads,), neurons=(neurons,), costs=costs, device="cpu", target=share)


def test_proxies_are_ranked_by_how_they_order_macs() -> None:
    points = [shaped(n, 12 - n, 10 + n, 1 - n / 10, 1 - n / 20) for n in range(5)]
    view = proxy_view([*points, shaped(9, 12, 10, 1.0, 1.0)], "sst2")  # the last one is the first one's shape again
    rows = {row.name: row for row in view.rows}
    assert (view.n_points, view.setting) == (5, "cpu")
    assert rows["counted MACs"].with_latency == Correlation(1.0, 5)
    assert rows["share of heads kept"].with_macs == Correlation(1.0, 5)
    assert rows["share of neurons kept"].with_macs == Correlation(-1.0, 5)
    assert rows["parameters"].with_macs == Correlation(None, 0)
    assert "n = 5" in view.sentences[-1]


def test_without_models_there_is_nothing_to_correlate() -> None:
    assert "nothing to correlate" in proxy_view((), "sst2").sentences[0]


# ---- signs of failure


def test_a_fall_beyond_both_intervals_at_a_moderate_price_is_a_cliff() -> None:
    line = [a_point("a", 60.0, 0.85, 0.02), a_point("b", 50.0, 0.84, 0.02), a_point("c", 40.0, 0.70, 0.02)]
    signs = {point.name: point.signs for point in with_cliffs(line)}
    assert (signs["a"], signs["b"]) == ((), ())
    assert signs["c"][0].startswith("Cliff: from 50.0% of the dense MACs to 40.0% of the dense MACs, accuracy goes")


@pytest.mark.parametrize(
    "lower",
    [
        a_point("c", 20.0, 0.70, 0.02),  # next to no compute: a fall is what anybody would expect
        a_point("c", 40.0, 0.70),  # no interval
        a_point("c", 40.0, 0.81, 0.02),  # within the intervals
        a_point("c", 40.0, 0.70, 0.02, seed=1),  # another seed
        a_point("c", 40.0, 0.70, 0.02, state="running"),
        a_point("c", 40.0, 0.70, 0.02, family="taylor"),
    ],
)
def test_what_is_no_cliff_is_not_called_one(lower: FrontierPoint) -> None:
    assert all(point.signs == () for point in with_cliffs([a_point("b", 50.0, 0.84, 0.02), lower]))


def test_a_cliff_of_a_perplexity_goes_up() -> None:
    more = {"metric": "perplexity", "higher_is_better": False}
    line = [a_point("a", 60.0, 20.0, 1.0, **more), a_point("b", 50.0, 30.0, 1.0, **more)]
    assert "from 20 to 30" in with_cliffs(line)[1].signs[0]


def test_gini_and_entropy_are_signs_only_where_scarcity_did_not_move_them() -> None:
    assert shift_signs(Shift(0.65, 0.69, 0.71), Shift(1.97, 1.90, 1.80)) == ()
    gini, entropy = shift_signs(Shift(0.65, 0.62, 0.63), Shift(1.97, 2.08, 2.02))
    assert gini.startswith("Gini not rising")
    assert "from 0.650 in the dense model to 0.630" in gini
    assert "−0.030 " in gini
    assert "+0.010 " in gini
    assert entropy.startswith("Entropy high under scarcity: 1.97 nats in the dense model, 2.02 now")
