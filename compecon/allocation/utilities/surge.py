"""The paper's curve: nothing, a surge, a decline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np
from typing_extensions import override

from compecon.allocation.utilities.arrays import Numbers, no_cap, no_floor
from compecon.allocation.utilities.lambert import lambert_w0, lambert_w0_of_one
from compecon.allocation.utilities.thresholded import ThresholdedCurve


@final
@dataclass(frozen=True, eq=False)
class ShiftedSurge(ThresholdedCurve):
    """Nothing up to a threshold, then ``slope * x * exp(-decay * x)`` of ``x = spend - threshold``.

    The form and its parameters are the paper's. It peaks ``1 / decay`` beyond the threshold at ``slope / (e * decay)``
    and then falls, so no rule here that looks at the curve spends more than that. Derived here from the form: demand
    at a price, ``threshold + (1 - W0(e * price / slope)) / decay``, and the choke price.

    Attributes:
        threshold: Tokens before the first gain, shape (agent,) or one number, at least 0.
        slope: Value per token at the threshold, above 0; shared in the paper, here one number or one an agent.
        decay: Per token, above 0; likewise.
        floor: See `Utility`.
        cap: See `Utility`.

    Raises:
        ValueError: If a number is NaN, infinite or of the wrong sign, shapes differ, or there is no agent.

    References:
        Wan et al. (2026), "The Shadow Price of Reasoning", arXiv 2606.03092.
    """

    threshold: Numbers
    slope: Numbers
    decay: Numbers
    floor: Numbers = field(default_factory=no_floor)
    cap: Numbers = field(default_factory=no_cap)

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
