"""Fronts, volumes and ties against the definitions, worked out pair by pair."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from compecon.stats.pareto import hypervolume, pareto_front, tied_with_front

Array = NDArray[Any]
NAN = float("nan")

# few different values, so that ties and duplicates are common
_sizes = st.tuples(st.integers(0, 12), st.integers(1, 4))
tables = _sizes.flatmap(lambda size: arrays(np.float64, size, elements=st.integers(-3, 3).map(float)))


def directions(table: Array) -> st.SearchStrategy[list[bool]]:
    n = table.shape[1]
    return st.lists(st.booleans(), min_size=n, max_size=n)


directed = tables.flatmap(lambda table: st.tuples(st.just(table), directions(table)))


def dominates(a: Sequence[float], b: Sequence[float], maximise: Sequence[bool]) -> bool:
    signs = [-1 if more else 1 for more in maximise]
    pairs = [(s * x, s * y) for s, x, y in zip(signs, a, b, strict=True)]
    return all(x <= y for x, y in pairs) and any(x < y for x, y in pairs)


def front_by_hand(points: Array, maximise: Sequence[bool]) -> list[bool]:
    return [not any(dominates(other, point, maximise) for other in points) for point in points]


@given(directed)
def test_the_front_is_everyone_whom_nobody_dominates(case):
    points, maximise = case
    assert pareto_front(points, maximise=maximise).tolist() == front_by_hand(points, maximise)


@given(tables)
def test_one_direction_may_hold_for_all_columns(points):
    n = points.shape[1]
    assert pareto_front(points).tolist() == front_by_hand(points, [False] * n)
    assert pareto_front(points, maximise=True).tolist() == front_by_hand(points, [True] * n)


def test_equal_points_on_the_front_are_all_on_it():
    assert pareto_front([[1.0, 2.0], [1.0, 2.0], [2.0, 1.0], [2.0, 2.0]]).tolist() == [True, True, True, False]


@given(directed, st.sampled_from([NAN, float("inf"), -float("inf")]), st.data())
def test_a_row_that_is_not_finite_is_left_out_and_changes_nobody_else(case, bad, data):
    points, maximise = case
    row = np.zeros((1, points.shape[1]))
    row[0, data.draw(st.integers(0, points.shape[1] - 1))] = bad
    at = data.draw(st.integers(0, len(points)))
    mask = pareto_front(np.insert(points, at, row, axis=0), maximise=maximise).tolist()
    assert mask.pop(at) is False
    assert mask == front_by_hand(points, maximise)


def test_rows_left_out_are_told(caplog):
    with caplog.at_level(logging.WARNING):
        assert pareto_front([[1.0, NAN], [0.0, 1.0], [float("inf"), 0.0]]).tolist() == [False, True, False]
    assert "2 of 3 points are not finite" in caplog.text


def test_nothing_is_said_when_all_are_finite(caplog):
    pareto_front([[1.0, 2.0]])
    assert not caplog.records


def test_without_points_there_is_no_front_and_no_volume():
    none = np.empty((0, 2))
    assert pareto_front(none).tolist() == []
    assert tied_with_front(none, none, none).tolist() == []
    assert hypervolume(none, [1.0, 1.0]) == 0.0


# ---- volume


def volume_by_hand(points: Array, reference: Array, maximise: Sequence[bool]) -> float:
    """Unit cells between whole numbers whose worst corner some point reaches."""
    signs = np.where(maximise, -1, 1)
    costs, corner = points * signs, reference * signs
    low = int(min(costs.min(initial=0), corner.min())) - 1
    axes = [range(low, int(c)) for c in corner]
    cells = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(corner)) if all(map(len, axes)) else []
    return float(sum(any((point <= cell).all() for point in costs) for cell in cells))


@given(directed, st.data())
def test_the_volume_is_the_number_of_unit_cells_that_are_dominated(case, data):
    points, maximise = case
    n = points.shape[1]
    reference = np.array(data.draw(st.lists(st.integers(-2, 3).map(float), min_size=n, max_size=n)))
    assert hypervolume(points, reference, maximise=maximise) == volume_by_hand(points, reference, maximise)


@given(directed)
def test_only_the_front_makes_the_volume(case):
    points, maximise = case
    reference = np.where(maximise, -5.0, 5.0)
    whole = hypervolume(points, reference, maximise=maximise)
    assert hypervolume(points[pareto_front(points, maximise=maximise)], reference, maximise=maximise) == whole


def test_a_row_that_is_not_finite_adds_no_volume():
    assert hypervolume([[1.0, 1.0], [NAN, 0.0], [-float("inf"), 0.0]], [3.0, 2.0]) == 2.0


@pytest.mark.parametrize("reference", [[1.0], [1.0, 1.0, 1.0], [NAN, 1.0], 1.0])
def test_a_reference_that_does_not_fit_is_refused(reference):
    with pytest.raises(ValueError, match="reference must hold 2 finite numbers"):
        hypervolume([[0.0, 0.0]], reference)


# ---- ties


@given(directed, st.data())
def test_a_point_is_tied_unless_another_dominates_it_at_the_ends_worst_for_itself(case, data):
    points, maximise = case
    margins = arrays(np.float64, points.shape, elements=st.integers(0, 2).map(float))
    low, high = points - data.draw(margins), points + data.draw(margins)
    best, worst = np.where(maximise, high, low), np.where(maximise, low, high)
    expected = [not any(dominates(other, point, maximise) for other in worst) for point in best]
    tied = tied_with_front(points, low, high, maximise=maximise)
    assert tied.tolist() == expected
    assert (tied | ~pareto_front(points, maximise=maximise)).all()


@given(directed)
def test_with_exact_numbers_only_the_front_is_tied_with_itself(case):
    points, maximise = case
    tied = tied_with_front(points, points, points, maximise=maximise)
    assert tied.tolist() == pareto_front(points, maximise=maximise).tolist()


def test_a_worse_point_whose_interval_reaches_the_better_one_is_tied():
    points = [[0.5, 0.90], [0.5, 0.89], [0.5, 0.80]]  # share of the MACs, accuracy
    low, high = [[0.5, 0.88], [0.5, 0.87], [0.5, 0.78]], [[0.5, 0.92], [0.5, 0.91], [0.5, 0.82]]
    assert tied_with_front(points, low, high, maximise=[False, True]).tolist() == [True, True, False]


@pytest.mark.parametrize("where", ["points", "low", "high"])
def test_a_point_without_a_finite_interval_is_tied_with_nobody(where):
    given = {name: [[1.0, 1.0], [1.0, 1.0]] for name in ("points", "low", "high")}
    given[where] = [[1.0, 1.0], [NAN, 1.0]]
    assert tied_with_front(**given).tolist() == [True, False]


def test_a_point_outside_of_its_interval_is_refused():
    with pytest.raises(ValueError, match="outside its interval"):
        tied_with_front([[1.0]], [[2.0]], [[3.0]])


def test_intervals_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(1, 2\), \(2, 2\), \(1, 2\)"):
        tied_with_front([[1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [[1.0, 1.0]])


@pytest.mark.parametrize("points", [[1.0, 2.0], [[[1.0]]], np.empty((3, 0))])
def test_what_is_no_table_is_refused(points):
    with pytest.raises(ValueError, match="one column per objective"):
        pareto_front(points)


@pytest.mark.parametrize("maximise", [[True], [True, False, True]])
def test_directions_that_do_not_fit_the_columns_are_refused(maximise):
    with pytest.raises(ValueError, match="one value for each of 2 columns"):
        pareto_front([[1.0, 2.0]], maximise=maximise)
