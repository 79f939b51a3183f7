"""The paper's curve: nothing, a surge, a decline; and Lambert's W, of which its demand is made."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.polynomial import Polynomial
from typing_extensions import override

from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.thresholded import ThresholdedCurve

_DEGREE = 6


@final
@dataclass(frozen=True, eq=False)
class ShiftedSurge(ThresholdedCurve):
    """Nothing up to a threshold, then ``slope * x * exp(-decay * x)`` of ``x = spend - threshold``.

    The form and its parameters are the paper's. It peaks ``1 / decay`` beyond the threshold at ``slope / (e * decay)``
    and then falls, so no rule here that looks at the curve spends more than that. Derived here from the form: demand
    at a price, ``threshold + (1 - W0(e * price / slope)) / decay``, and the choke price.

    Attributes:
        threshold: Tokens before the first gain, shape (agent,) or one number, at least 0.
        slope: Value per token at the threshold, above 0; shared in the paper, here one number or one per agent.
        decay: Per token, above 0; one number or one per agent.
        floor: Least spend in tokens, at least 0; one number or one per agent. None by default.
        cap: Largest spend in tokens, at least the floor; one number or one per agent. None by default.

    Raises:
        ValueError: If a number is NaN, infinite or of the wrong sign, shapes differ, or there is no agent.

    References:
        Wan et al. (2026), "The Shadow Price of Reasoning", arXiv 2606.03092.

    Examples:
        >>> curves = ShiftedSurge(threshold=[0, 200], slope=1.5, decay=0.01)
        >>> curves.value([100, 300]).round(2).tolist()  # both 100 tokens beyond their thresholds, at the peak
        [55.18, 55.18]
        >>> curves.choke_prices.round(2).tolist()
        [1.5, 0.19]
    """

    threshold: Numbers
    slope: Numbers
    decay: Numbers
    floor: Numbers = field(default_factory=lambda: np.zeros(()))
    cap: Numbers = field(default_factory=lambda: np.full((), np.inf))

    def __post_init__(self) -> None:
        self._settle(slope=self.slope, decay=self.decay)

    @property
    def is_shared(self) -> bool:
        """Whether all agents have the same slope and the same decay, as the paper assumes."""
        return bool((self.slope == self.slope[0]).all() and (self.decay == self.decay[0]).all())

    @override
    def _rise(self, x: Numbers) -> Numbers:
        return self.slope * x * np.exp(-self.decay * x)

    @override
    def _slope(self, x: Numbers) -> Numbers:
        return self.slope * (1.0 - self.decay * x) * np.exp(-self.decay * x)

    @override
    def _x_at(self, price: float) -> Numbers:
        # The derivative is the price where w = 1 - decay * x solves w * exp(w) = e * price / slope.
        return (1.0 - lambert_w0(np.e * np.minimum(price / self.slope, 1.0))) / self.decay

    @override
    def _tangent(self) -> tuple[Numbers, Numbers]:
        ahead = self.threshold - self.floor  # flat part that has to be paid
        with np.errstate(divide="ignore", over="ignore"):
            y = 2.0 / (1.0 + np.sqrt(1.0 + 4.0 / (self.decay * np.maximum(ahead, 0.0))))
        x = np.where(ahead >= 0, y / self.decay, -ahead)
        return x, self._slope(x)

    @property
    @override
    def _steepest(self) -> Numbers:
        return np.zeros(self.n_agents)

    @property
    @override
    def _peak(self) -> Numbers:
        return 1.0 / self.decay

    @override
    def rescaled(self, unit: float) -> ShiftedSurge:
        tokens = {"threshold": self.threshold / unit, "floor": self.floor / unit, "cap": self.cap / unit}
        return ShiftedSurge(slope=self.slope * unit, decay=self.decay * unit, **tokens)

    @override
    def demand_of(self, agent: int, price: float) -> float:
        if price >= self.choke_prices[agent]:
            return float(self.floor[agent])
        w = lambert_w0_of_one(np.e * min(price / float(self.slope[agent]), 1.0))
        bought = float(self.threshold[agent]) + (1.0 - w) / float(self.decay[agent])
        return min(max(bought, float(self.floor[agent])), float(self.cap[agent]))


def _coefficients() -> tuple[float, ...]:
    """Of a polynomial for W0 in q = sqrt(1 + e z), lowest first, fitted to the inverse, which is known: z = w exp(w).

    In q the principal branch has no singularity near [0, e]: degree 6 is within 4e-6 of it, and one step of Halley's
    method, which cubes the error, gives the last bit. SciPy's complex function takes 0.3 s for a million numbers.
    """
    w = np.linspace(0.0, 1.0, 2001)
    q = np.sqrt(1.0 + np.e * w * np.exp(w))
    return tuple(float(c) for c in Polynomial.fit(q, w, _DEGREE).convert().coef)


_COEFFICIENTS = _coefficients()


def lambert_w0(z: Numbers) -> Numbers:
    """The solution in [0, 1] of ``w * exp(w) = z``, within 1e-12, for z in [0, e], which is not checked."""
    q = np.sqrt(1.0 + np.e * z)
    w = np.full_like(q, _COEFFICIENTS[-1])
    for coefficient in reversed(_COEFFICIENTS[:-1]):
        w *= q
        w += coefficient
    growth = np.exp(w)
    error = w * growth - z
    w -= error / (growth * (w + 1.0) - (w + 2.0) * error / (2.0 * w + 2.0))
    return w


def lambert_w0_of_one(z: float) -> float:
    """The same for one number: a query that arrives alone should not wait for an array to be made."""
    q = math.sqrt(1.0 + math.e * z)
    w = 0.0
    for coefficient in reversed(_COEFFICIENTS):
        w = w * q + coefficient
    growth = math.exp(w)
    error = w * growth - z
    return w - error / (growth * (w + 1.0) - (w + 2.0) * error / (2.0 * w + 2.0))
