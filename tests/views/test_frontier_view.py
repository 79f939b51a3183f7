"""What the Frontier page draws, as plain data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compecon.errors import CompeconError
from compecon.views.frontier.axes import axes_of, tasks_of
from compecon.views.frontier.drawn import BudgetCurve, Choice, Family, FrontierAxes, FrontierMark, FrontierView
from compecon.views.frontier.frontier_points import CurvePoint, FrontierPoint, OtherSplit, Reading
from compecon.views.frontier.frontier_view import frontier_view
from tests.support.frontier import a_point, dense

AXES = FrontierAxes("sst2")


def standings(view: FrontierView) -> dict[str, str]:
    return {mark.point.name: mark.standing for mark in view.marks}


def reasons(view: FrontierView) -> dict[str, str]:
    return dict(view.left_out)


# ---- a view, whole


def test_a_view_of_two_points_is_known_to_the_last_field() -> None:
    best = Reading(0.9)
    small, large = a_point("small", 40.0, 0.8, seed=0), dense(0.9)
    view = frontier_view([large, small], AXES)
    mark = FrontierMark(
        point=small, x=Reading(40.0), y=Reading(0.8), judged=Reading(0.8), standing="front", differs="incentive",
    )  # fmt: skip
    assert view == FrontierView(
        axes=AXES,
        x_title="MACs of one text, counted on compacted shapes",
        y_title="accuracy × 100 on test",
        reference=(100.0, 0.8),
        families=(
            Family(
                "dense",
                (replace(mark, point=large, x=Reading(100.0), y=best, judged=best, differs="dense"),),
                ("local/dense",),
                0.0,
            ),
            Family("incentive", (mark,), ("local/small",), 0.0),
        ),
        front=("local/small", "local/dense"),
        volume=0.0,
        budgets=(),
        curves=(),
        left_out=(),
        notes=view.notes,
        metric="accuracy",
        split="test",
    )


def test_a_volume_is_counted_from_the_highest_cost_and_the_floor_of_the_metric() -> None:
    points = [a_point("small", 40.0, 0.8, floor=0.5), dense(0.9, floor=0.5)]
    view = frontier_view(points, AXES)
    assert view.reference == (100.0, 0.5)
    assert view.volume == pytest.approx((1 - 0.4) * (0.8 - 0.5))  # the dense one stands on the reference's cost
    assert "constant answer" in " ".join(view.notes)


def test_titles_say_length_rows_and_device() -> None:
    costs = {"macs": Reading(40.0), "latency": Reading(0.4)}
    points = [a_point(costs=costs, n_tokens=25, rows=1821, device="cpu, 1 thread")]
    assert frontier_view(points, AXES).x_title == "MACs of one text of 25 tokens, counted on compacted shapes"
    timed = frontier_view(points, FrontierAxes("sst2", "latency", "quality"))
    assert timed.x_title == "time of a forward pass / the dense parent's, measured: cpu, 1 thread"
    assert timed.y_title == "accuracy × 100 on test, 1,821 rows"


def test_what_differs_names_only_what_is_not_the_same_in_the_family() -> None:
    points = [a_point("a", 40.0, target=0.4, seed=0), a_point("b", 50.0, target=0.5, seed=0)]
    told = {mark.point.name: mark.differs for mark in frontier_view(points, AXES).marks}
    assert told == {"a": "incentive, target 40%", "b": "incentive, target 50%"}


# ---- who is on the front


def dominates(one: FrontierPoint, other: FrontierPoint) -> bool:
    """By the definition: at least as good in both, better in one."""
    x, y = (
        (one.costs["macs"].value, other.costs["macs"].value),
        (-one.quality.value, -other.quality.value),  # type: ignore[union-attr]
    )
    return x[0] <= x[1] and y[0] <= y[1] and (x[0] < x[1] or y[0] < y[1])


GRID = st.tuples(st.integers(1, 12), st.integers(0, 12))


def made(places: Sequence[tuple[int, int]], **more: Any) -> list[FrontierPoint]:
    return [a_point(f"p{n}", float(x), y / 12, **more) for n, (x, y) in enumerate(places)]


@settings(deadline=None, max_examples=60)
@given(st.lists(GRID, min_size=1, max_size=14))
def test_the_front_is_what_nothing_dominates(places: list[tuple[int, int]]) -> None:
    points = made(places)
    view = frontier_view(points, AXES)
    by_hand = {one.key for one in points if not any(dominates(other, one) for other in points)}
    assert set(view.front) == by_hand
    assert {mark.point.key for mark in view.marks if mark.standing == "front"} == by_hand
    assert list(view.front) == sorted(
        view.front, key=lambda key: next(m.x.value for m in view.marks if m.point.key == key)
    )


@settings(deadline=None, max_examples=40)
@given(st.lists(GRID, min_size=1, max_size=10), st.integers(0, 9), st.integers(0, 4), st.integers(1, 4))
def test_a_dominated_point_changes_neither_front_nor_volume(
    places: list[tuple[int, int]], which: int, dearer: int, worse: int
) -> None:
    points = made(places, floor=-1.0)
    x, y = places[which % len(places)]
    x = min(x + dearer, max(place[0] for place in places))  # a dearer one would move the reference
    more = a_point("more", float(x), (y - worse) / 12, floor=-1.0)
    before, after = frontier_view(points, AXES), frontier_view([*points, more], AXES)
    assert after.front == before.front
    assert after.volume == pytest.approx(before.volume)
    assert standings(after)["more"] != "front"


def test_a_hair_cheaper_and_far_worse_is_not_on_the_front() -> None:
    by_a_hair = [dense(), a_point("good", 50.1, 0.89), a_point("bad", 50.0, 0.7)]
    assert standings(frontier_view(by_a_hair, AXES)) == {"dense": "front", "good": "front", "bad": "dominated"}
    by_more = [dense(), a_point("good", 51.0, 0.89), a_point("bad", 50.0, 0.7)]
    assert standings(frontier_view(by_more, AXES))["bad"] == "front"


def test_a_point_whose_interval_reaches_the_front_is_tied_with_it() -> None:
    points = [a_point("best", 40.0, 0.80, 0.02), a_point("near", 50.0, 0.79, 0.02), a_point("far", 50.0, 0.70, 0.02)]
    assert standings(frontier_view(points, AXES)) == {"best": "front", "near": "tied", "far": "dominated"}


def test_where_less_is_better_the_front_turns_around() -> None:
    points = [
        a_point(name, x, y, metric="perplexity", higher_is_better=False)
        for name, x, y in (("a", 10.0, 30.0), ("b", 20.0, 20.0), ("c", 20.0, 40.0))
    ]
    view = frontier_view(points, AXES)
    assert view.front == ("local/a", "local/b")
    assert view.reference == (20.0, 40.0)
    assert not view.higher_is_better


def test_running_failed_and_quoted_points_are_on_no_front() -> None:
    points = [
        a_point("done", 60.0, 0.7),
        a_point("running", 10.0, 0.9, state="running"),
        a_point("failed", 10.0, 0.9, state="failed"),
        a_point("other's", 10.0, 0.9, origin="quoted", family="quoted"),
    ]
    view = frontier_view(points, AXES)
    assert view.front == ("local/done",)
    assert standings(view) == {"done": "front", "running": "running", "failed": "failed", "other's": "quoted"}
    assert next(family for family in view.families if family.name == "quoted").volume is None


# ---- change


def test_a_change_without_its_own_interval_is_judged_by_that_of_its_metric() -> None:
    best = a_point("best", 40.0, 0.80, 0.02, change=Reading(-0.01))
    near = a_point("near", 50.0, 0.79, 0.02, change=Reading(-0.02))
    sure = a_point("sure", 50.0, 0.79, 0.02, change=Reading(-0.02, -0.021, -0.019))
    view = frontier_view([best, near, sure], FrontierAxes("sst2", y="change"))
    assert standings(view)["near"] == "tied"
    assert [mark.y.ends for mark in view.marks if mark.point.name == "near"] == [None]
    assert any("pairwise by row" in note for note in view.notes)


def test_a_point_without_a_measured_parent_has_no_change() -> None:
    view = frontier_view([a_point("orphan"), dense()], FrontierAxes("sst2", y="change"))
    assert "parent was not measured" in reasons(view)["orphan"]
    assert len(reasons(view)) == 1


def test_quoted_changes_stand_beside_any_task_and_quoted_metrics_beside_their_own() -> None:
    quoted = a_point("theirs", None, 0.85, origin="quoted", family="quoted", task="mnli", change=Reading(-0.006),
                     costs={"share": Reading(0.6)}, setting="different setting: GPU")  # fmt: skip
    points = [a_point("ours", change=Reading(0.0)), quoted]
    change = frontier_view(points, FrontierAxes("sst2", "share", "change"))
    assert standings(change) == {"ours": "front", "theirs": "quoted"}
    assert any("different setting" in note for note in change.notes)
    assert set(standings(frontier_view(points, FrontierAxes("sst2", "share")))) == {"ours"}


# ---- curves


CURVE = (CurvePoint(2, 200.0, Reading(0.6)), CurvePoint(4, 400.0, Reading(0.7)), CurvePoint(None, 900.0, Reading(0.8)))


def test_curves_move_over_reads_and_stand_over_other_costs() -> None:
    point = a_point("a", 50.0, 0.8, curve=CURVE, costs={"macs": Reading(50.0), "reads": Reading(900.0)})
    other = a_point("b", 60.0, 0.9, curve=(CURVE[1], replace(CURVE[2], metric=Reading(0.9))))
    over_macs = frontier_view([point, other], AXES)
    assert over_macs.budgets == (2, 4, None)
    assert over_macs.curves == (
        BudgetCurve("local/a", "incentive", (50.0, 50.0, 50.0), (0.6, 0.7, 0.8)),
        BudgetCurve("local/b", "incentive", (None, 60.0, 60.0), (None, 0.7, 0.9)),
    )
    assert any("vertical" in note for note in over_macs.notes)
    over_reads = frontier_view([point], FrontierAxes("sst2", "reads"))
    assert over_reads.curves == (BudgetCurve("local/a", "incentive", (200.0, 400.0, 900.0), (0.6, 0.7, 0.8)),)
    assert any("Reads, not latency" in note for note in over_reads.notes)


def test_a_budget_at_which_the_metric_is_not_defined_is_a_gap() -> None:
    curve = (replace(CURVE[0], metric=Reading(math.nan)), *CURVE[1:])
    view = frontier_view([a_point("a", 50.0, 0.8, curve=curve)], AXES)
    assert view.curves == (BudgetCurve("local/a", "incentive", (None, 50.0, 50.0), (None, 0.7, 0.8)),)


def test_a_curve_of_change_is_moved_by_the_parents_metric() -> None:
    view = frontier_view([a_point("a", 50.0, 0.8, change=Reading(-0.1), curve=CURVE)], FrontierAxes("sst2", y="change"))
    assert view.curves[0].ys == pytest.approx((-0.3, -0.2, -0.1))


# ---- what shares an axis


def test_metrics_of_different_tasks_are_refused_on_one_axis() -> None:
    points = [a_point("a"), a_point("b", task="stsb")]
    with pytest.raises(CompeconError, match="of sst2, stsb: metrics of different tasks"):
        frontier_view(points, FrontierAxes(""))


def test_without_a_name_the_one_task_there_is_is_taken() -> None:
    assert frontier_view([a_point()], FrontierAxes("")).axes.task == "sst2"


def test_an_unknown_cost_is_refused_by_name() -> None:
    with pytest.raises(CompeconError, match="no cost 'watts'"):
        frontier_view([a_point()], FrontierAxes("sst2", "watts"))


@pytest.mark.parametrize(
    ("point", "words"),
    [
        (a_point("odd", metric="matthews"), ["metric", "matthews", "accuracy"]),
        (a_point("odd", rows=500), ["500", "1,821"]),
        (a_point("odd", split="dev"), ["dev", "test"]),
        (a_point("odd", quality=math.nan), ["accuracy", "finite"]),
        (a_point("odd", quality=math.inf), ["accuracy", "finite"]),
        (a_point("odd", macs=None), ["MACs of one text", "unknown"]),
        (a_point("odd", macs=math.nan), ["MACs of one text", "number"]),
        (a_point("odd", macs=-1.0), ["MACs of one text", "number"]),
        (a_point("odd", n_tokens=64), ["64", "25"]),
        (a_point("odd", quality=None), ["measured"]),
    ],
)
def test_what_has_no_place_is_listed_with_the_reason(point: FrontierPoint, words: list[str]) -> None:
    others = [a_point(f"p{n}", 40.0 + n, rows=1821, n_tokens=25) for n in range(3)]
    view = frontier_view([*others, point], AXES, [("broken", "no JSON")])
    [(name, reason), broken] = view.left_out
    assert (name, broken) == ("odd", ("broken", "no JSON"))
    assert [word for word in words if word not in reason] == []
    assert len(view.marks) == 3


def test_a_cost_of_zero_has_no_place_on_a_logarithmic_axis() -> None:
    view = frontier_view([a_point("free", 0.0), a_point()], FrontierAxes("sst2", is_log=True))
    assert set(reasons(view)) == {"free"}


def test_times_of_other_settings_are_left_out_and_can_be_chosen_apart() -> None:
    def timed(name: str, setting: str, value: float) -> FrontierPoint:
        return a_point(name, device=setting, costs={"latency": Reading(value), f"latency: {setting}": Reading(value)})

    points = [timed("a", "cpu", 0.5), timed("b", "cpu", 0.6), timed("c", "cuda:0", 0.4)]
    view = frontier_view(points, FrontierAxes("sst2", "latency"))
    assert set(reasons(view)) == {"c"}
    assert "cuda:0" in reasons(view)["c"]
    assert "cpu" in reasons(view)["c"]
    assert [choice.name for choice in axes_of(points, "sst2")] == ["latency: cpu", "latency: cuda:0"]
    assert set(standings(frontier_view(points, FrontierAxes("sst2", "latency: cuda:0")))) == {"c"}


def test_an_interval_that_does_not_hold_its_number_is_dropped() -> None:
    view = frontier_view([a_point(quality=0.8), replace(a_point("b"), quality=Reading(0.8, 0.85, 0.9))], AXES)
    assert {mark.y.ends for mark in view.marks} == {None}


# ---- tasks and splits


def test_tasks_and_splits_can_be_chosen_and_the_reported_one_comes_first() -> None:
    on_dev = OtherSplit("dev", Reading(0.7), rows=872)
    points = [a_point("a", elsewhere=(on_dev,)), a_point("b"), a_point("c", task="stsb", metric="spearman")]
    assert tasks_of(points) == (
        Choice("sst2", "Sentiment (SST-2): accuracy on test", 2),
        Choice("stsb", "Similarity (STS-B): spearman on test", 1),
        Choice("sst2@dev", "Sentiment (SST-2): accuracy on dev", 1),
    )
    view = frontier_view(points, FrontierAxes("sst2@dev"))
    assert [(mark.point.name, mark.y.value) for mark in view.marks] == [("a", 0.7)]
    assert set(reasons(view)) == {"b"}
    assert all(split in reasons(view)["b"] for split in ("test", "dev"))


def test_a_running_point_is_shown_on_the_split_it_is_measured_on() -> None:
    points = [
        a_point("done", elsewhere=(OtherSplit("dev", Reading(0.7)),)),
        a_point("new", split="dev", state="running"),
    ]
    assert "choose sst2@dev to watch it" in reasons(frontier_view(points, AXES))["new"]
    assert standings(frontier_view(points, FrontierAxes("sst2@dev"))) == {"done": "front", "new": "running"}


def test_a_task_whose_name_has_the_sign_of_a_split_is_taken_as_it_is() -> None:
    assert len(frontier_view([a_point(task="files:me@home")], FrontierAxes("files:me@home")).marks) == 1


def test_costs_come_with_how_many_points_state_them() -> None:
    points = [a_point("a"), a_point("b", costs={"macs": Reading(1.0), "parameters": Reading(2.0)})]
    assert axes_of(points, "sst2") == (
        Choice("macs", "MACs of one text", 2),
        Choice("share", "MACs, share of the dense parent's", 1),
        Choice("parameters", "parameters", 1),
    )


# ---- next to nothing


def test_no_points_make_an_empty_view_that_says_what_to_do() -> None:
    view = frontier_view((), AXES)
    assert view.marks == ()
    assert view.volume is None
    assert view.curves == ()
    assert "No points" in view.notes[0]
    assert tasks_of(()) == ()
    assert axes_of((), "sst2") == ()


def test_an_unknown_task_makes_an_empty_view_that_names_the_others() -> None:
    [note] = frontier_view([a_point()], FrontierAxes("mnli")).notes
    assert "mnli" in note
    assert "sst2" in note


def test_one_checkpoint_alone_is_the_front() -> None:
    view = frontier_view([a_point("only", 50.0, 0.8, 0.02)], AXES)
    assert view.front == ("local/only",)
    assert view.volume == 0.0
