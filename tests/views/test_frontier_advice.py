"""Which checkpoint to take, and what one more point costs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from compecon.checkpoints.catalog import list_checkpoints
from compecon.views.frontier.advice import Advice, advise
from compecon.views.frontier.drawn import FrontierAxes, Quality
from compecon.views.frontier.frontier_points import FrontierPoint, Reading
from compecon.views.frontier.frontier_view import frontier_view
from compecon.views.frontier.limits import Wish
from compecon.views.frontier.sources import Sources, all_points
from tests.support.frontier import a_point, dense

DENSE = dense(0.90)
SMALL = a_point("small", 30.0, 0.80, parent="dense", change=Reading(-0.10))
MIDDLE = a_point("middle", 45.0, 0.85, parent="dense", change=Reading(-0.05))
LARGE = a_point("large", 60.0, 0.87, parent="dense", change=Reading(-0.03))
ALL = (DENSE, SMALL, MIDDLE, LARGE)


def advised(points: Sequence[FrontierPoint], wish: Wish, x: str = "macs", y: Quality = "quality") -> Advice:
    return advise(frontier_view(points, FrontierAxes("sst2", x, y)), wish)


# ---- what is taken


@pytest.mark.parametrize(
    ("wish", "taken"),
    [
        (Wish(most_share=0.5), "middle"),
        (Wish(most_cost=50.0), "middle"),
        (Wish(most_share=0.9, most_cost=35.0), "small"),
        (Wish(least_quality=0.86), "large"),
        (Wish(least_change=-0.05), "middle"),
        (Wish(most_share=0.7, least_quality=0.84), "large"),
        (Wish(), "dense"),
    ],
)
def test_the_best_is_taken_under_a_ceiling_and_the_cheapest_above_a_floor(wish: Wish, taken: str) -> None:
    advice = advised(ALL, wish)
    assert (advice.key, advice.checkpoint) == (f"local/{taken}", f"/models/{taken}")
    assert advice.sentences[0].startswith(f"Choose {taken}: accuracy ")


def test_a_ceiling_on_a_share_is_told_in_the_unit_of_the_axis() -> None:
    advice = advised(ALL, Wish(most_share=0.5, least_quality=0.7))
    assert (advice.most_x, advice.least_y) == (50.0, 0.7)
    assert advised(ALL, Wish(least_change=-0.2), y="change").least_y == -0.2


def test_the_sentences_name_cost_and_what_was_given_up() -> None:
    sentences = advised(ALL, Wish(most_share=0.5)).sentences
    assert sentences[0] == "Choose middle: accuracy 85.0 on test at 45 MACs, 45% of the dense model's."
    assert sentences[1] == "Compared with its dense parent dense: −5.0 points, for 55% fewer MACs."


def test_a_paired_interval_says_whether_the_rows_tell_the_change_from_none() -> None:
    sure = a_point("sure", 45.0, 0.85, parent="dense", change=Reading(-0.05, -0.08, -0.02))
    unsure = a_point("unsure", 45.0, 0.85, parent="dense", change=Reading(-0.05, -0.12, 0.02))
    assert "[−8.0, −2.0], significantly different from 0" in advised([DENSE, sure], Wish(most_share=0.5)).sentences[1]
    assert "[−12.0, 2.0], not significantly" in advised([DENSE, unsure], Wish(most_share=0.5)).sentences[1]


@pytest.mark.parametrize(("half", "words"), [(0.06, "within the interval"), (0.02, "beyond the interval"), (0, "")])
def test_a_change_without_an_interval_is_compared_with_that_of_its_metric(half: float, words: str) -> None:
    small = a_point("small", 45.0, 0.85, half, parent="dense", change=Reading(-0.05))
    sentence = advised([DENSE, small], Wish(most_share=0.5)).sentences[1]
    assert [each for each in ("within the interval", "beyond the interval") if each in sentence] == [words] * bool(
        words
    )


# ---- ties


def test_what_the_intervals_do_not_tell_apart_is_named_with_the_cheapest() -> None:
    points = [
        DENSE,
        a_point("best", 45.0, 0.85, 0.02),
        a_point("near", 30.0, 0.84, 0.02),
        a_point("far", 20.0, 0.7, 0.02),
    ]
    advice = advised(points, Wish(most_share=0.5))
    assert advice.key == "local/best"
    assert advice.tied == ("local/near",)
    assert any("near may be as good" in one and "near needs 30 MACs" in one for one in advice.sentences)


def test_a_floor_that_the_interval_reaches_under_is_told_with_what_is_safer() -> None:
    points = [dense(0.90, 0.02), a_point("near", 30.0, 0.85, 0.02)]
    advice = advised(points, Wish(least_quality=0.84))
    assert advice.key == "local/near"
    assert any("extends beyond 84.0" in one and "is dense" in one for one in advice.sentences)


# ---- the price of one more point


def test_the_price_of_a_point_is_the_slope_to_the_next_better_one() -> None:
    advice = advised(ALL, Wish(most_share=0.5))
    assert advice.marginal == pytest.approx((60.0 - 45.0) / (100 * (0.87 - 0.85)))
    assert "gains +2.0 points for another 15% of the dense MACs, which is 7.5% per point." in advice.sentences[-1]


def test_a_gain_within_the_intervals_is_told_to_be_one() -> None:
    points = [dense(0.90, 0.06), a_point("small", 30.0, 0.85, 0.02)]
    assert "may not be real" in advised(points, Wish(most_share=0.5)).sentences[-1]


CAUTIONS = ("may not be real", "unknown")


@pytest.mark.parametrize("y", ["quality", "change"])
@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize(("half", "caution"), [(0.02, "may not be real"), (0.005, ""), (0.0, "unknown")])
def test_a_gain_is_cautioned_on_either_axis_also_where_changes_were_not_paired(
    y: Quality, paired: bool, half: float, caution: str
) -> None:
    def one(name: str, macs: float, change: float) -> FrontierPoint:
        ends = (change - half, change + half) if half and paired else ()
        return a_point(name, macs, 0.9 + change, half, parent="dense", change=Reading(change, *ends))

    advice = advised(
        [dense(0.90, half), one("small", 30.0, -0.05), one("large", 60.0, -0.03)], Wish(most_share=0.5), y=y
    )
    said = " ".join(advice.sentences)
    assert [each for each in CAUTIONS if each in said] == [caution] * bool(caution)


def test_nothing_is_better_than_the_best() -> None:
    advice = advised(ALL, Wish())
    assert advice.marginal is None
    assert "at any cost" in advice.sentences[-1]


# ---- what cannot be taken


def test_what_cannot_be_opened_is_named_and_not_taken() -> None:
    ghost = a_point("ghost", 40.0, 0.88, checkpoint="", origin="experiment")
    advice = advised([*ALL, ghost], Wish(most_share=0.5))
    assert advice.key == "local/middle"
    assert any("ghost is better" in one and "no checkpoint" in one for one in advice.sentences)


@pytest.mark.parametrize(
    "more", [{"state": "running"}, {"state": "failed"}, {"origin": "quoted", "family": "quoted"}], ids=str
)
def test_what_is_not_finished_or_not_ours_is_never_taken(more: dict[str, str]) -> None:
    best = a_point("best", 10.0, 0.99, **more)
    assert advised([*ALL, best], Wish(most_share=0.5)).key == "local/middle"


def test_where_nothing_fits_the_nearest_is_named() -> None:
    advice = advised(ALL, Wish(most_share=0.2))
    assert (advice.key, advice.checkpoint, advice.nearest) == ("", "", "local/small")
    assert advice.sentences == (
        "No checkpoint fits: at most 20% of the dense MACs.",
        "The nearest is small: accuracy 80.0 at 30 MACs.",
    )


def test_a_cost_that_no_dense_model_has_is_told_in_its_own_unit() -> None:
    def trained(name: str, macs: float, quality: float) -> FrontierPoint:
        return a_point(name, quality=quality, costs={"training_macs": Reading(macs)})

    points = [trained("short", 1e12, 0.8), trained("long", 4e12, 0.9), dense()]
    advice = advised(points, Wish(most_share=0.5), "training_macs")  # of the highest cost shown
    assert (advice.key, advice.most_x) == ("local/short", 2e12)
    assert advice.sentences == (
        "Choose short: accuracy 80.0 on test at 1 trillion MACs of training.",
        "The price of one more point: long, the next better one, gains +10.0 points for another 3 trillion MACs of "
        "training, which is 300 billion MACs of training per point. Not both have an interval, so it is unknown how "
        "certain this gain is.",
    )
    assert "at most 500 billion MACs of training" in advised(points, Wish(most_cost=5e11), "training_macs").sentences[0]


def test_where_there_is_nothing_to_open_it_says_so() -> None:
    advice = advised([a_point(checkpoint="")], Wish(most_share=0.5))
    assert (advice.key, advice.nearest) == ("", "")
    assert "checkpoint" in advice.sentences[0]
    assert advised([], Wish()).key == ""


def test_where_less_is_better_a_floor_is_a_ceiling() -> None:
    points = [
        a_point(name, x, y, metric="perplexity", higher_is_better=False)
        for name, x, y in (("a", 10.0, 30.0), ("b", 20.0, 20.0), ("c", 30.0, 15.0))
    ]
    assert advised(points, Wish(least_quality=25.0)).key == "local/b"
    assert advised(points, Wish(most_cost=20.0)).key == "local/b"
    advice = advised(points, Wish(most_cost=10.0))
    assert (advice.key, advice.marginal) == ("local/a", 1.0)


# ---- what comes with compecon


@pytest.mark.parametrize(("task", "family"), [("sst2", "sentiment"), ("stsb", "similarity")])
@pytest.mark.parametrize("x", ["macs", "share"])
def test_the_bundled_checkpoints_have_one_to_take_under_half_of_the_compute(task: str, family: str, x: str) -> None:
    points = all_points(Sources(list_checkpoints(), has_quoted=False)).points
    advice = advise(frontier_view(points, FrontierAxes(task, x)), Wish(most_share=0.5))
    allowed = [
        point for point in points
        if point.task == task and point.origin == "bundled" and point.costs["share"].value <= 0.5
    ]  # fmt: skip
    best = max(allowed, key=lambda point: point.quality.value if point.quality else 0.0)
    assert advice.key == best.key
    assert advice.checkpoint.startswith(f"{family}-")
    assert "of the dense" in advice.sentences[0]
    bundled = [point for point in points if point.task == task and point.origin == "bundled" and point.quality]
    is_best = all(point.quality.value <= best.quality.value for point in bundled)  # type: ignore[union-attr]
    last = "No better checkpoint" if is_best else "The price of one more point"
    assert any(last in one for one in advice.sentences)
