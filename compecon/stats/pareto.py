"""Pareto fronts: the non-dominated points, the volume they dominate, and the points that tie with them.

A point dominates another if it is at least as good in every column and better in one. Rows with a NaN or an infinity
are left out before anything is compared, because a single one can make all others look dominated. Computed by `moocore`
(López-Ibáñez and others, LGPL-2.1-or-later).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, TypeAlias

import moocore
import numpy as np
from numpy.typing import ArrayLike, NDArray

_LOG = logging.getLogger(__name__)
Mask: TypeAlias = NDArray[np.bool_]
_Numbers: TypeAlias = NDArray[np.float64]


def pareto_front(points: ArrayLike, *, maximise: bool | Sequence[bool] = False) -> Mask:
    """Which points no other point dominates. Equal points on the front all count as on it.

    Args:
        points: Shape (point, objective). Rows that are not finite are never on the front; their number is logged.
        maximise: Whether more is better: in all columns, or column by column.

    Returns:
        Boolean mask, shape (point,).

    Raises:
        ValueError: If the points are not a table, or maximise does not fit its columns.

    Examples:
        >>> pareto_front([[0.3, 0.80], [0.5, 0.85], [0.6, 0.84]], maximise=(False, True)).tolist()  # MACs, accuracy
        [True, True, False]
    """
    costs = _costs(_table(points, "points"), maximise)
    finite = _finite(costs)
    mask = np.zeros(len(costs), dtype=np.bool_)
    if finite.any():
        mask[finite] = moocore.is_nondominated(costs[finite], keep_weakly=True)
    return mask


def hypervolume(points: ArrayLike, reference: ArrayLike, *, maximise: bool | Sequence[bool] = False) -> float:
    """Volume that the points dominate within a reference, such as (MACs of the dense model, accuracy of a guess).

    Args:
        points: Shape (point, objective). Points that are not better than the reference in every column add nothing;
            neither do rows that are not finite, whose number is logged.
        reference: Shape (objective,): the worst corner that still counts.
        maximise: Whether more is better: in all columns, or column by column.

    Returns:
        In the product of the columns' units; 0 without points.

    Raises:
        ValueError: If the points are not a table, the reference is not finite, or the columns do not fit together.

    References:
        Zitzler and Thiele (1998), "Multiobjective optimization using evolutionary algorithms", PPSN V.

    Examples:
        >>> hypervolume([[0.5, 0.75]], reference=[1.0, 0.25], maximise=(False, True))
        0.25
    """
    costs, corner = _table(points, "points"), np.asarray(reference, dtype=np.float64)
    if corner.shape != costs.shape[1:] or not np.isfinite(corner).all():
        raise ValueError(f"reference must hold {costs.shape[1]} finite numbers, one per column, got {corner.tolist()}.")
    costs, corner = _costs(costs, maximise), _costs(corner[None], maximise)[0]
    kept = costs[_finite(costs)]
    return float(moocore.hypervolume(kept, ref=corner)) if len(kept) else 0.0


def tied_with_front(
    points: ArrayLike, low: ArrayLike, high: ArrayLike, *, maximise: bool | Sequence[bool] = False
) -> Mask:
    """Which points may be on the front, as far as their intervals can tell.

    A point falls behind only if another one dominates it even when every number is at the end of its interval that is
    worst for the other and best for the point. So every point of the front is in, and with intervals of no width (`low`
    = `points` = `high`) no other. Each pair is judged on its own; nothing corrects for their number.

    Args:
        points: Shape (point, objective).
        low: Lower ends, same shape; equal to ``points`` in a column that is known exactly, such as MACs.
        high: Upper ends, same shape.
        maximise: Whether more is better: in all columns, or column by column.

    Returns:
        Boolean mask, shape (point,); False for points of which a number or an end is not finite. Their number is
        logged.

    Raises:
        ValueError: If the shapes differ, or a point lies outside its interval.

    Examples:
        >>> points, half = np.array([[0.5, 0.85], [0.6, 0.84], [0.7, 0.5]]), np.array([0.0, 0.02])
        >>> tied_with_front(points, points - half, points + half, maximise=(False, True)).tolist()
        [True, True, False]
    """
    middle, lower, upper = _table(points, "points"), _table(low, "low"), _table(high, "high")
    if not middle.shape == lower.shape == upper.shape:
        raise ValueError(f"points, low and high differ in shape: {middle.shape}, {lower.shape}, {upper.shape}.")
    if bool(((lower > middle) | (middle > upper)).any()):
        raise ValueError("a point lies outside its interval. Give low <= point <= high.")
    ends = np.stack([_costs(lower, maximise), _costs(upper, maximise)])
    best, worst = ends.min(axis=0), ends.max(axis=0)
    mask = _finite(np.hstack([middle, best, worst]))
    rivals = worst[mask]
    rivals = rivals[pareto_front(rivals)]  # what any of them dominates, the best of them dominate
    mask[mask] = [not _dominated(point, rivals) for point in best[mask]]
    return mask


def _dominated(point: _Numbers, rivals: _Numbers) -> bool:
    return bool(((rivals <= point).all(axis=1) & (rivals < point).any(axis=1)).any())


def _table(values: ArrayLike, name: str) -> _Numbers:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] == 0:
        raise ValueError(f"{name} must have one row per point and one column per objective, got shape {table.shape}.")
    return table


def _costs(table: _Numbers, maximise: bool | Sequence[bool]) -> _Numbers:
    """All columns to be minimised."""
    more_is_better: NDArray[Any] = np.asarray(maximise, dtype=np.bool_)
    if more_is_better.ndim and more_is_better.shape != table.shape[1:]:
        raise ValueError(f"maximise must hold one value for each of {table.shape[1]} columns, got {maximise}.")
    return np.where(more_is_better, -table, table)


def _finite(costs: _Numbers) -> Mask:
    mask = np.asarray(np.isfinite(costs).all(axis=1))
    if not mask.all():
        _LOG.warning("%d of %d points are not finite and were left out of the comparison.", (~mask).sum(), len(mask))
    return mask
