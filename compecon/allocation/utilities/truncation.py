"""What a hard cap on tokens buys: the chance that the answer is complete before the cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import numpy as np
from scipy.special import lambertw
from typing_extensions import override

from compecon.allocation.utilities.arrays import Numbers, numbers
from compecon.allocation.utilities.thresholded import ThresholdedCurve

_ENOUGH = 40.0  # (1 + z) * exp(-z) is below 2e-16 there: the rest is rounding
_ROUNDS = 60


@final
@dataclass(frozen=True, eq=False)
class Truncation(ThresholdedCurve):
    """Chance of a correct answer within a cap: ``ceiling * F(x)``, ``F = 1 - (1 + decay x) exp(-decay x)``.

    Ours, not the paper's. If the lengths of correct answers are the threshold plus a Gamma variable of shape 2, their
    *density* is the surge curve, and what a cap buys is the density's integral: it never falls, and is S-shaped. At the
    surge's peak it has reached only 26% of its ceiling.

    Attributes:
        threshold: Tokens before the first correct answer, shape (agent,) or one number, at least 0.
        decay: Per token, above 0; mean length of a correct answer is ``threshold + 2 / decay``.
        ceiling: Share of attempts that are correct when nothing is cut, in (0, 1]: whether the query can be solved.
        floor: Least spend in tokens, at least 0; one number or one per agent. None by default.
        cap: Largest spend in tokens, at least the floor; one number or one per agent. None by default.

    Raises:
        ValueError: As `ShiftedSurge`, or if a ceiling is above 1.

    Examples:
        >>> Truncation(threshold=[0, 200], decay=0.01, ceiling=[1, 0.5]).value([400, 400]).round(3).tolist()
        [0.908, 0.297]
    """

    threshold: Numbers
    decay: Numbers
    ceiling: Numbers = field(default_factory=lambda: np.ones(()))
    floor: Numbers = field(default_factory=lambda: np.zeros(()))
    cap: Numbers = field(default_factory=lambda: np.full((), np.inf))

    def __post_init__(self) -> None:
        self._settle(decay=self.decay, ceiling=self.ceiling)
        numbers(1.0 - self.ceiling, "1 - ceiling")

    @override
    def _rise(self, x: Numbers) -> Numbers:
        return self.ceiling * _reached(self.decay * x)

    @override
    def _slope(self, x: Numbers) -> Numbers:
        z = self.decay * x
        return self.ceiling * self.decay * z * np.exp(-z)

    @override
    def _x_at(self, price: float) -> Numbers:
        # z * exp(-z) = price / (ceiling * decay) on the far side of the inflection, z >= 1
        level = np.minimum(price / (self.ceiling * self.decay), np.exp(-1.0))
        z = -lambertw(-level, k=-1).real
        return np.where(level < np.exp(-1.0), np.clip(np.nan_to_num(z, nan=1.0), 1.0, _ENOUGH), 1.0) / self.decay

    @override
    def _tangent(self) -> tuple[Numbers, Numbers]:
        return self._touch

    @cached_property
    def _touch(self) -> tuple[Numbers, Numbers]:
        begin = self.decay * (self.floor - self.threshold)  # negative for a floor on the flat part
        reached = _reached(np.maximum(begin, 0.0))
        low, high = np.maximum(begin, 1.0), np.maximum(begin, _ENOUGH)
        # F(z) - F(begin) - (z - begin) F'(z) rises with z beyond the inflection: halving finds where it is 0
        for _ in range(_ROUNDS):
            z = (low + high) / 2
            touches_later = _reached(z) - reached < (z - begin) * z * np.exp(-z)
            low, high = np.where(touches_later, z, low), np.where(touches_later, high, z)
        x = np.where(begin >= 1.0, begin, high) / self.decay
        return x, self._slope(x)

    @property
    @override
    def _steepest(self) -> Numbers:
        return 1.0 / self.decay

    @property
    @override
    def _peak(self) -> Numbers:
        return _ENOUGH / self.decay

    @override
    def rescaled(self, unit: float) -> Truncation:
        tokens = {"threshold": self.threshold / unit, "floor": self.floor / unit, "cap": self.cap / unit}
        return Truncation(decay=self.decay * unit, ceiling=self.ceiling, **tokens)


def _reached(z: Numbers) -> Numbers:
    """Distribution function of Gamma(2), precise for small z too: 1 - (1 + z) exp(-z)."""
    return -np.expm1(-z) - z * np.exp(-z)
