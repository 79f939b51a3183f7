"""Allocation when thresholds are known up to an error: expected instead of certain value. Ours, not the paper's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from compecon.allocation.utilities.arrays import Numbers, numbers
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.surge import ShiftedSurge
from compecon.allocation.utilities.truncation import Truncation

N_NODES = 33
_N_LEVELS = 96
_SURE_OF = 0.99  # of a truncation's ceiling: where its levels end


def expected_utility(utility: ShiftedSurge | Truncation, spread: ArrayLike, *, n_nodes: int = N_NODES) -> MeasuredCurve:
    """Mean curves over thresholds that are normal around the predicted ones, cut off at 0.

    One token short of a threshold buys nothing. If the threshold is uncertain, the kink is smoothed out, it pays to buy
    some margin, and agents that are too uncertain are abandoned earlier. The mean is taken at spends spaced evenly from
    the lowest threshold to the highest peak. In between the curve is a step, so it never promises more than the mean
    where that rises.

    Args:
        utility: Curves of the predicted thresholds.
        spread: Standard deviation of the error, in units of spend, one number or one per agent; 0 for none.
        n_nodes: Thresholds of equal chance by which an agent's distribution is represented, at least 1.

    Raises:
        ValueError: If a spread is negative, or there is no node.
    """
    if n_nodes < 1:
        raise ValueError(f"at least 1 node is needed, got {n_nodes}.")
    errors = numbers(spread, "spread") * _normal_nodes(n_nodes)[:, None]
    thresholds = np.maximum(utility.threshold + errors, 0.0)  # (node, agent)
    curves = [replace(utility, threshold=node) for node in thresholds]
    reach = 1.0 / utility.decay if isinstance(utility, ShiftedSurge) else _z(_SURE_OF) / utility.decay
    first, last = thresholds.min(axis=0), np.minimum(thresholds.max(axis=0) + reach, utility.cap)
    levels = first + np.linspace(0.0, 1.0, _N_LEVELS)[1:, None] * np.maximum(last - first, 0.0)  # (level, agent)
    mean = np.mean([curve.value(levels) for curve in curves], axis=0)
    return MeasuredCurve(levels.T, mean.T, utility.floor, utility.cap)


def _normal_nodes(n_nodes: int) -> Numbers:
    """Middles of parts of equal chance, scaled to a variance of 1."""
    nodes: Numbers = np.asarray(ndtri((np.arange(n_nodes) + 0.5) / n_nodes))
    return nodes / nodes.std() if n_nodes > 1 else nodes


def _z(share: float) -> float:
    """Where the Gamma(2) distribution function is ``share``."""
    grid = np.linspace(0.0, 20.0, 2001)
    return float(grid[np.searchsorted(1.0 - (1.0 + grid) * np.exp(-grid), share)])
