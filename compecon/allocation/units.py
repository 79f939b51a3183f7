"""Units that a search may count spends in."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.utility import Utility

_FEWEST_UNITS, _MOST_UNITS = 300, 3000  # of the largest level, for a quick search
_MOST_EXACT = 1_000_000  # of it, for an exact one
_DECIMALS = 9
_ROUNDING = 1e-9


def counted_as_one(utility: Utility) -> float:
    """A unit that leaves a quick search: 1 if spends are whole and not huge, else a power of ten."""
    if not isinstance(utility, MeasuredCurve):
        return 1.0
    highest = float(utility.levels.max())
    if highest <= 0 or (highest <= _MOST_UNITS and not (utility.levels % 1.0).any()):
        return 1.0
    return float(10.0 ** math.floor(math.log10(highest / _FEWEST_UNITS)))


def exact_unit(utility: Utility) -> float:
    """The largest unit of which all levels are multiples; if none is, or it is too small, one of `counted_as_one`."""
    if not isinstance(utility, MeasuredCurve):
        return 1.0
    spends = np.unique(np.concatenate([utility.levels.ravel(), utility.floor]))
    for factor in (10.0**decimals for decimals in range(_DECIMALS + 1)):
        scaled = _whole(spends * factor)
        if scaled.max() > 2**53:
            break
        if not (scaled % 1.0).any():
            unit = float(np.gcd.reduce(scaled.astype(np.int64))) or 1.0
            return unit / factor if scaled.max() <= _MOST_EXACT * unit else counted_as_one(utility)
    return counted_as_one(utility)


def is_exact(utility: Utility, unit: float) -> bool:
    """Whether counting in a unit loses nothing: all that can be bought costs a multiple of it."""
    if not isinstance(utility, MeasuredCurve):
        return False
    return not any((_whole(spends / unit) % 1.0).any() for spends in (utility.levels, utility.floor))


def in_units(utility: Utility, budget: float, unit: float) -> tuple[Utility, float]:
    """Curves and budget in whole units; ValueError if a floor is then above its cap."""
    curves = utility.rescaled(unit)
    if isinstance(curves, MeasuredCurve):  # 0.3 / 0.1 is no 3, and would be rounded up
        curves = replace(curves, levels=_whole(curves.levels), floor=_whole(curves.floor), cap=_whole(curves.cap))
    return curves.in_whole_units(), float(np.floor(_whole(np.asarray(budget / unit))))


def _whole(values: Numbers) -> Numbers:
    """Values, those that are whole but for rounding made whole."""
    near = np.round(values)
    with np.errstate(invalid="ignore"):  # infinite caps
        return np.where(np.abs(values - near) <= _ROUNDING * np.maximum(1.0, np.abs(near)), near, values)
