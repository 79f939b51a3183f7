"""Where a demand that falls with the price, and jumps, meets a budget."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from compecon.allocation.utilities.arrays import Numbers

_FEW = 16  # jumps in the bracket, from which on they are halved instead of guessed at
_ROUNDS = 400  # never needed: an answer that is not tight is better than an endless search
_CLOSE = 1e-13  # of the budget unspent counts as all spent
_ULP = 4e-16


def lowest_price(
    total: Callable[[float], float], budget: float, high: float, jumps: Numbers, guess: float | None = None
) -> float:
    """The lowest price, up to rounding, at which the total demand is within the budget.

    The paper halves an interval of prices. Here the interval is cut by the secant of its ends as long as many jumps lie
    in it, then at a jump itself, and at last where demand is continuous: some ten looks at the demand instead of sixty,
    and the price of a jump is found exactly.

    Args:
        total: Demand at a price; never rises, and is continuous between jumps. At a jump it has the smaller value.
        budget: Demand at price 0 is above it, and at ``high`` within it.
        high: Such a price.
        jumps: Prices of jumps, ascending.
        guess: A price that may be near; None for none.
    """
    ends = _Ends(0.0, total(0.0) - budget, high, total(high) - budget)
    for trial in _around(guess, high):
        ends = ends.cut(trial, total(trial) - budget) if ends.low < trial < ends.high else ends
    for round_ in range(_ROUNDS):
        inside = jumps[np.searchsorted(jumps, ends.low, "right") : np.searchsorted(jumps, ends.high, "left")]
        if not len(inside):
            break
        halve = len(inside) <= _FEW or round_ % 3 == 2
        trial = float(inside[len(inside) // 2]) if halve else ends.secant()
        ends = ends.cut(trial, total(trial) - budget)
    below = math.nextafter(ends.high, 0.0)
    if below > ends.low and total(below) > budget:
        return ends.high  # the budget lies in the jump at this price
    return _continuous(total, budget, ends)


def _continuous(total: Callable[[float], float], budget: float, ends: _Ends) -> float:
    for round_ in range(_ROUNDS):
        if ends.is_tight(budget):
            break
        trial = ends.middle() if round_ % 4 == 3 else ends.secant()
        if not ends.low < trial < ends.high:
            trial = ends.middle()
        if not ends.low < trial < ends.high:
            break
        ends = ends.cut(trial, total(trial) - budget)
    return ends.high


@final
@dataclass(frozen=True)
class _Ends:
    """An interval of prices: too much is demanded at the lower end, and not at the upper one."""

    low: float
    excess_low: float
    high: float
    excess_high: float
    last: str = ""  # which end moved last: "low", "high" or "" for none
    # What the excess of the end that stayed counts in the secant: halved each time it stays (Illinois rule), so that
    # both ends move
    weight: float = 1.0

    def cut(self, price: float, excess: float) -> _Ends:
        side = "low" if excess > 0 else "high"
        weight = self.weight / 2 if side == self.last else 1.0
        if excess > 0:
            return _Ends(price, excess, self.high, self.excess_high, side, weight)
        return _Ends(self.low, self.excess_low, price, excess, side, weight)

    def secant(self) -> float:
        above = self.excess_low * (self.weight if self.last == "high" else 1.0)
        below = -self.excess_high * (self.weight if self.last == "low" else 1.0)
        trial = self.low + (self.high - self.low) * (above / (above + below))
        return trial if self.low < trial < self.high else self.middle()

    def middle(self) -> float:
        """Of the logarithms where the ends are far apart."""
        far = self.low > 0 and self.high > 4 * self.low
        return math.sqrt(self.low * self.high) if far else (self.low + self.high) / 2

    def is_tight(self, budget: float) -> bool:
        return -self.excess_high <= _CLOSE * budget or self.high - self.low <= _ULP * self.high


def _around(guess: float | None, high: float) -> tuple[float, ...]:
    if guess is None or guess <= 0:
        return ()
    return (min(guess * 1.02, high), guess * 0.98, min(guess * 1.1, high), guess * 0.9)
