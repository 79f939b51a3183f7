"""Curves that are flat up to a threshold, then rise to a peak or a ceiling."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from typing_extensions import override

from compecon.allocation.utilities.arrays import Numbers, common_length, numbers, per_agent
from compecon.allocation.utilities.utility import Utility, limits

_CHUNK = 1 << 13  # agents


@dataclass(frozen=True, eq=False)
class ThresholdedCurve(Utility):
    """A curve of ``x = spend - threshold``: 0 up to 0, at most one change from convex to concave, then one peak.

    For such a curve only two spends can be best at a price (derived here): the floor, or the point of the concave part
    where the marginal value equals the price, clipped to the limits. Which of the two is decided by comparing the price
    with the choke price, the slope of the line from the floor that touches the curve.

    Attributes:
        threshold: Spend before the first gain, shape (agent,), at least 0.
        floor: Least spend, shape (agent,), at least 0.
        cap: Largest spend, shape (agent,), at least the floor; infinity for none.

    Examples:
        >>> from compecon.allocation import ShiftedSurge, Truncation
        >>> for kind in (ShiftedSurge, Truncation):
        ...     print(issubclass(kind, ThresholdedCurve), kind([0, 200], 1.5, 0.01).thresholds.tolist())
        True [0.0, 200.0]
        True [0.0, 200.0]
    """

    threshold: Numbers

    def _settle(self, **positive: ArrayLike) -> None:
        """Check the fields and give each one number per agent; called once, by `__post_init__`."""
        checked = {name: numbers(values, name, positive=True) for name, values in positive.items()}
        fields = {
            "threshold": numbers(self.threshold, "threshold"),
            "floor": numbers(self.floor, "floor"),
            "cap": numbers(self.cap, "cap", infinite=True),
            **checked,
        }
        n_agents = common_length(*fields.values())
        for name, array in per_agent(n_agents, **fields).items():
            object.__setattr__(self, name, array)
        limits(n_agents, self.floor, self.cap)

    @abstractmethod
    def _rise(self, x: Numbers) -> Numbers:
        """Value above the threshold; ``x`` is at least 0."""

    @abstractmethod
    def _slope(self, x: Numbers) -> Numbers:
        """Its derivative."""

    @abstractmethod
    def _x_at(self, price: float) -> Numbers:
        """The largest ``x`` at which the slope still is the price; the steepest point for a price above all slopes."""

    @abstractmethod
    def _tangent(self) -> tuple[Numbers, Numbers]:
        """Where the line from the floor touches the curve, as ``x``, and its slope, without regard to caps.

        For a floor on the concave part: the floor itself, and the curve's slope there.
        """

    @property
    @abstractmethod
    def _steepest(self) -> Numbers:
        """The ``x`` from which on the curve is concave."""

    @property
    @abstractmethod
    def _peak(self) -> Numbers:
        """The ``x`` beyond which nothing is gained."""

    @override
    def value(self, spend: ArrayLike) -> Numbers:
        x = np.asarray(spend, dtype=np.float64) - self.threshold
        return np.where(x > 0, self._rise(np.maximum(x, 0.0)), 0.0)

    @override
    def marginal(self, spend: ArrayLike) -> Numbers:
        x = np.asarray(spend, dtype=np.float64) - self.threshold
        return np.where(x >= 0, self._slope(np.maximum(x, 0.0)), 0.0)

    @override
    def demand(self, price: float) -> Numbers:
        if self.n_agents > _CHUNK:
            return np.concatenate([part.demand(price) for part in self._parts])
        bought = self._clipped(self._x_at(price))
        return np.where(price < self.choke_prices, bought, self.floor)

    @override
    def demand_if_funded(self, price: float) -> Numbers:
        if self.n_agents > _CHUNK:
            return np.concatenate([part.demand_if_funded(price) for part in self._parts])
        bought = np.maximum(self._clipped(self._x_at(price)), self.start)
        return np.where(self.choke_prices > 0, bought, self.floor)

    @cached_property
    def start(self) -> Numbers:
        """See `Utility.start`."""
        return np.where(self.choke_prices > 0, self._clipped(self._steepest), self.floor)

    @cached_property
    def entry(self) -> Numbers:
        """See `Utility.entry`."""
        return np.where(self.choke_prices > 0, self._clipped(self._tangent()[0]), self.floor)

    @cached_property
    def most(self) -> Numbers:
        """See `Utility.most`."""
        return np.where(self.choke_prices > 0, self._clipped(self._peak), self.floor)

    @cached_property
    def choke_prices(self) -> Numbers:
        """See `Utility.choke_prices`."""
        x, slope = self._tangent()
        room = self.cap - self.floor
        capped = self.threshold + x > self.cap  # the line goes to the end of the curve instead
        if capped.any():
            gain = self.value(np.where(capped, self.cap, self.floor)) - self.value(self.floor)
            with np.errstate(divide="ignore", invalid="ignore"):
                slope = np.where(capped, gain / room, slope)
        return np.where(room > 0, np.maximum(slope, 0.0), 0.0)

    @property
    @override
    def thresholds(self) -> Numbers:
        return self.threshold

    @cached_property
    def _parts(self) -> tuple[Self, ...]:
        """Views of a few agents each, whose arrays stay in the processor's cache while a demand is computed."""
        return tuple(self.take(slice(start, start + _CHUNK)) for start in range(0, self.n_agents, _CHUNK))

    def _clipped(self, x: Numbers) -> Numbers:
        return np.clip(self.threshold + x, self.floor, self.cap)
