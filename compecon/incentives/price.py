"""What a unit of compute costs, step by step: prices fixed in advance, and prices that adapt to a target."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Literal, Self, final

Schedule = Literal["constant", "linear", "cosine"]


@dataclass(frozen=True)
class Price(ABC):
    """A price of compute, in units of task loss for the whole dense cost.

    Attributes:
        value: The price now, at least 0.
    """

    value: float = 0.0

    @abstractmethod
    def updated(self, *, cost: float, progress: float) -> Self:
        """The price of the next step.

        Args:
            cost: Cost that was just paid, as a share of dense.
            progress: Share of the steps that are done, in [0, 1].
        """

    @property
    def target(self) -> float | None:
        """Share of the dense cost that the price aims at; None if it aims at none."""
        return None


@final
@dataclass(frozen=True)
class FixedPrice(Price):
    """A price that follows the clock alone: it climbs to its height, then stays or comes down.

    Args:
        value: The price now; by default that of the first step: 0 if there is a warm-up, otherwise the height.
        height: The price after the warm-up, at least 0.
        warmup: Share of the steps in which it climbs, in [0, 1).
        schedule: "constant" stays; "linear" and "cosine" come down to 0 at the end.

    Raises:
        ValueError: If the height, the warm-up or the schedule is not one of these.

    Examples:
        >>> from compecon import FixedPrice
        >>> price = FixedPrice(height=2.0, warmup=0.5, schedule="linear")
        >>> [price.updated(cost=1.0, progress=progress).value for progress in (0.0, 0.25, 0.5, 0.75, 1.0)]
        [0.0, 1.0, 2.0, 1.0, 0.0]
    """

    value: float = math.nan  # not given: filled in below
    height: float = 1.0
    warmup: float = 0.1
    schedule: Schedule = "constant"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.height) and self.height >= 0):
            raise ValueError(f"a price must be at least 0 and finite, got {self.height}.")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup must be in [0, 1), got {self.warmup}.")
        if self.schedule not in ("constant", "linear", "cosine"):
            raise ValueError(f"schedule must be constant, linear or cosine, got {self.schedule!r}.")
        if math.isnan(self.value):
            object.__setattr__(self, "value", self._at(0.0))

    def updated(self, *, cost: float, progress: float) -> Self:  # noqa: ARG002 - this price does not look at it
        """The price at a time."""
        return replace(self, value=self._at(progress))

    def _at(self, progress: float) -> float:
        if progress < self.warmup:
            return self.height * progress / self.warmup
        late = (progress - self.warmup) / (1 - self.warmup)
        share = {"constant": 1.0, "linear": 1 - late, "cosine": (1 + math.cos(math.pi * late)) / 2}[self.schedule]
        return self.height * max(share, 0.0)


@final
@dataclass(frozen=True)
class DualAscent(Price):
    """The shadow price of a budget: it rises while the cost is above the budget and falls while it is below.

    Args:
        value: The price now, at least 0, in units of task loss for the whole dense cost.
        budget: Share of the dense cost to come down to, in (0, 1].
        rate: How much the price moves in a step, per unit of cost in excess; above 0.
        ramp: Share of the steps over which the allowed cost comes down from 1 to the budget, in [0, 1].
        ceiling: The price beyond which the ascent counts as diverged.

    Raises:
        ValueError: If a value is out of its range.

    References:
        Boyd and Vandenberghe (2004), Convex Optimization, ch. 5; with gates: Gallego-Posada et al. (2022),
        "Controlled sparsity via constrained optimization", arXiv 2208.04425.

    Examples:
        >>> from compecon import DualAscent
        >>> price = DualAscent(value=2.0, budget=0.5, rate=1.0, ramp=0.0)
        >>> price.updated(cost=0.75, progress=0.1).value, price.updated(cost=0.25, progress=0.1).value
        (2.25, 1.75)
    """

    value: float = 2.0
    budget: float = 0.45
    rate: float = 0.05
    ramp: float = 0.1
    ceiling: float = 1e4

    def __post_init__(self) -> None:
        if not 0 < self.budget <= 1:
            raise ValueError(f"a target is a share of the dense cost in (0, 1], got {self.budget}.")
        if not (0 <= self.ramp <= 1 and self.rate > 0 and self.value >= 0):
            raise ValueError(f"need ramp in [0, 1], rate above 0 and a first price of at least 0, got {self}.")

    @property
    def target(self) -> float:
        """The budget."""
        return self.budget

    def allowed(self, progress: float) -> float:
        """Share of the dense cost that is allowed at a time."""
        return self.budget if progress >= self.ramp else 1 - (1 - self.budget) * progress / self.ramp

    def updated(self, *, cost: float, progress: float) -> Self:
        """One step of ascent on price × (cost − allowed).

        Raises:
            FloatingPointError: If the price diverges, which it does when no step can bring the cost down.
        """
        price = self.value + self.rate * (cost - self.allowed(progress))
        if not price <= self.ceiling:  # also catches NaN
            raise FloatingPointError(
                f"the price of compute diverged to {price:g} at a cost of {cost:g} against {self.budget:g} allowed. "
                "Raise the gates' learning rate or the target."
            )
        return replace(self, value=max(0.0, price))
