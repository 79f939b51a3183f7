"""What is still to come, by curves of earlier queries: their demand at any price, less what has already arrived.

Two forecasts are mixed. If arrivals look like the earlier queries in random order, those to come do too, and demand per
arrival is that of the earlier ones. If they differ (cheap ones first, bursts of one kind), each arrival takes the most
similar earlier query away, and what is left of those is still to come: after the cheap ones, the dear ones. The
distance between the distributions of the two, in standard errors, says how much of each.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import NamedTuple, TypeAlias, final

import numpy as np

from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.utility import Utility

Key: TypeAlias = tuple[float, float]  # choke price and entry of a curve: what it is recognised by

_MOST_CURVES = 4_096
_PIECES = 16  # of a smooth curve, beyond its entry
_CRITICAL = 3.0  # standard errors of that distance: beyond it arrivals differ, and fully so beyond twice as many
_FEWEST = 8  # arrivals, before which they are not compared
_NOTHING = 1e-12
_ROUNDING = 1e-9  # relative


class Margin(NamedTuple):
    """Where a budget covers a forecast demand."""

    price: float  # the highest at which somebody would be refused; 0 if nobody is
    sure: float  # the lowest above that at which demand is forecast; infinity if there is none
    better: float  # demand at that price and above


@final
class Forecast:
    """Demand of queries to come, which changes with every arrival.

    Args:
        past: Curves of earlier queries, with limits as those to come will have; thousands are enough.
        arrivals: How many are expected, at least 1.
    """

    def __init__(self, past: Utility, arrivals: int) -> None:
        """Of earlier queries."""
        if past.n_agents > _MOST_CURVES:
            past = past.take(np.arange(_MOST_CURVES) * past.n_agents // _MOST_CURVES)
        self._least, self._largest = past.n_agents, 0  # of the places where arrivals were
        self.n_past, self._arrived, self._mixed = past.n_agents, 0, 0.0
        self.floor = float(past.floor.mean())
        smooth = 1.0 if isinstance(past, MeasuredCurve) else float((past.most - past.entry).sum())
        steps = past.steps(max(smooth / (_PIECES * self.n_past), _NOTHING))
        order = np.argsort(-(steps.gain / steps.cost), kind="stable")
        cost = steps.cost[order]
        self._falling: list[float] = (-(steps.gain / steps.cost)[order]).tolist()  # negated prices, rising
        self._all: list[float] = np.concatenate([[0.0], np.cumsum(cost)]).tolist()
        self._left = _Sums((cost * (arrivals / self.n_past)).tolist())
        keys = list(zip(past.choke_prices.tolist(), past.entry.tolist(), strict=True))
        sort = sorted(range(self.n_past), key=keys.__getitem__)
        self._keys: list[Key] = [keys[curve] for curve in sort]
        place_of = {curve: place for place, curve in enumerate(sort)}
        self._steps: list[list[tuple[int, float]]] = [[] for _ in sort]
        for place, (curve, each) in enumerate(zip(steps.agent[order].tolist(), cost.tolist(), strict=True)):
            self._steps[place_of[curve]].append((place, each))
        self._mass = [arrivals / self.n_past] * self.n_past  # arrivals that each curve still stands for
        self._above, self._below = list(range(self.n_past + 1)), list(range(self.n_past + 1))
        last = [n for n in range(self.n_past) if n + 1 == self.n_past or self._keys[n] != self._keys[n + 1]]
        self._last, self._seen = np.array(last), np.zeros(self.n_past)

    def margin(self, left: float, arrivals: int, usage: float = 1.0) -> Margin:
        """Where what is left covers the demand to come.

        Args:
            left: Budget.
            arrivals: How many are still to come, at least 1.
            usage: Share of what is allowed that is used, above 0.
        """
        plain, left_over = usage * (1.0 - self._mixed) * arrivals / self.n_past, usage * self._mixed

        def demand(place: int) -> float:
            return plain * self._all[place] + (left_over * self._left.before(place) if left_over else 0.0)

        room, end = max(left - usage * arrivals * self.floor, 0.0), len(self._falling)
        if demand(end) <= room * (1 + _ROUNDING):
            return Margin(0.0, 0.0, 0.0)
        place = min(bisect_right(range(1, end + 1), room, key=demand), end - 1)  # the first step that does not fit
        first = bisect_left(self._falling, self._falling[place])  # of its price
        better = demand(first)
        before = bisect_left(range(1, first + 1), better * (1 - _ROUNDING), key=demand)  # the last step with any demand
        sure = -self._falling[before] if better > 0 else math.inf
        return Margin(-self._falling[place], sure, better)

    def arrive(self, key: Key) -> None:
        """Take a query that has arrived out of those to come."""
        self._take(key)
        near = (bisect_left(self._keys, key) + bisect_right(self._keys, key)) // 2
        self._seen[min(near, self.n_past - 1)] += 1
        self._arrived += 1
        if self._arrived >= _FEWEST and self._arrived % max(1, self._arrived // 16) == 0:
            self._mixed = min(1.0, max(0.0, self._distance() / _CRITICAL - 1.0))

    def _leaves(self, key: Key, at: int, above: int, below: int) -> bool:
        """Whether an arrival at a place is taken from the curves below it, and not from those above.

        Where arrivals rise or fall throughout, what they have passed will not come any more, though the earlier queries
        had more of it. Otherwise the nearer choke price decides; equal curves come first of all.
        """
        if self._keys[above] == key:
            return False
        rises, falls = at == self._largest > self._least, at == self._least < self._largest
        if rises or falls:
            return rises
        return key[0] - self._keys[below][0] < self._keys[above][0] - key[0]

    def _distance(self) -> float:
        """The largest difference between the distributions of arrivals and of earlier queries, in standard errors."""
        here, before = np.cumsum(self._seen)[self._last], self._last + 1.0
        both = (here + before) / (self._arrived + self.n_past)
        error = np.sqrt(both * (1 - both) * (1 / self._arrived + 1 / self.n_past))
        apart = np.abs(here / self._arrived - before / self.n_past)
        return float(np.divide(apart, error, out=np.zeros_like(apart), where=error > 0).max())

    def _take(self, key: Key) -> None:
        """Remove one arrival from the curves that are nearest in choke price and still stand for some."""
        at, wanted = bisect_left(self._keys, key), 1.0
        self._least, self._largest = min(self._least, at), max(self._largest, at)
        while wanted > _NOTHING:
            above, below = _root(self._above, at), _root(self._below, at) - 1
            if above == self.n_past and below < 0:
                return
            nearest = below if above == self.n_past or (below >= 0 and self._leaves(key, at, above, below)) else above
            taken = min(wanted, self._mass[nearest])
            wanted -= taken
            self._mass[nearest] -= taken
            for place, cost in self._steps[nearest]:
                self._left.add(place, -cost * taken)
            if self._mass[nearest] <= _NOTHING:
                self._above[nearest], self._below[nearest + 1] = nearest + 1, nearest


@final
class _Sums:
    """Sums of the first numbers of a list that changes (Fenwick's tree): both in steps of the logarithm."""

    def __init__(self, numbers: list[float]) -> None:
        total = np.concatenate([[0.0], np.cumsum(numbers)])
        place = np.arange(len(total))
        self._tree: list[float] = (total - total[place - (place & -place)]).tolist()

    def add(self, place: int, number: float) -> None:
        """Change a number, by place from 0."""
        place += 1
        while place < len(self._tree):
            self._tree[place] += number
            place += place & -place

    def before(self, place: int) -> float:
        """Sum of the numbers before a place."""
        total = 0.0
        while place > 0:
            total += self._tree[place]
            place &= place - 1
        return total


def _root(parents: list[int], place: int) -> int:
    """Where a chain of places ends, halving it on the way."""
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place
