"""What the benchmark of frames makes of a page's moves."""

import pytest

from compecon.benchmarks.frames import frames_table
from compecon.benchmarks.moves import Drag


def move(target, kind, total, wait, handler):
    times = {"total": total, "wait": wait, "handler": handler}
    return {"target": target, "kind": kind, "merged": False, "changedK": True, "changedGini": True, **times}


def figures_of(moves, turns):
    table = frames_table("frames", moves, turns, goal_ms=8.0, loop_ms=20.0)
    return {figure.label.strip(): figure for figure in table.figures}


def test_the_browsers_wait_is_nobodys_work():
    moves = [move("canvas", "exact", 20.0, 15.0, 2.0), move("canvas", "recorded", 9.0, 3.0, 1.0)]
    found = figures_of([*moves, move("floor", "exact", 17.0, 15.0, 0.1)], [(Drag(0, 0, 0), Drag(0, 0, 0))])
    own = found["own work in a move, exact budgets"]
    assert own.values == (5.0, 6.0)
    assert own.is_met()
    assert found["of it: drawing, in the input handler"].values == (2.0, 1.0)
    assert found["of it: the rest of the frame (style, layout, paint)"].values == (3.0, 5.0)
    assert found["own work in a move of the bare range input"].values == (2.0,)


def test_previews_are_told_apart_from_exact_budgets():
    moves = [move("canvas", "exact", 5.0, 1.0, 2.0), move("canvas", "preview", 50.0, 1.0, 40.0)]
    found = figures_of(moves, [(Drag(0, 0, 0), Drag(0, 0, 0))])
    assert found["own work in a move, exact budgets"].values == (4.0,)
    assert found["own work in a move, previews"].values == (49.0,)


@pytest.mark.parametrize(("bar", "floor", "is_met"), [(3.0, 3.0, True), (3.0, 5.0, True), (5.0, 3.0, False)])
def test_frames_are_dropped_against_the_bare_input(bar, floor, is_met):
    found = figures_of([move("canvas", "exact", 5.0, 1.0, 2.0)], [(Drag(0, 1, bar), Drag(0, 0, floor))])
    more = found["more of them than of that"]
    assert more.values == (bar - floor,)
    assert more.is_met() is is_met
    assert found["sweep requests per drag"].values == (1.0,)
    assert found["script reruns: WebSocket frames per drag"].is_met()
