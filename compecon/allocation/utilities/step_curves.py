"""Measured curves: the value of each budget that was tried."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self, final

import numpy as np
from numpy.typing import ArrayLike
from typing_extensions import override

from compecon.allocation.utilities.arrays import Numbers, numbers, per_agent
from compecon.allocation.utilities.envelope import Envelope, envelope
from compecon.allocation.utilities.utility import Steps, Utility, limits


@final
@dataclass(frozen=True, eq=False)
class MeasuredCurve(Utility):
    """A step curve for each agent: a spend is worth what the largest level within it was worth.

    Nothing is assumed between levels, and nothing about their order: where more was measured to be worse, it is worse,
    and no rule that looks at the curve buys it. Prices see the concave envelope, so at a price an agent buys one of its
    corners. Below the first level a spend is worth 0.

    Attributes:
        levels: Spends that were tried, shape (agent, level), at least 0, no row falling. Of equal levels the last one
            counts, so a row with fewer levels repeats its last one. One row counts for all agents.
        values: Their values, shape (agent, level), at least 0.
        floor: Least spend, at least 0; one number or one per agent. Its value is read off the curve. None by default.
        cap: Largest spend, at least the floor; one number or one per agent. None by default.

    Raises:
        ValueError: If a number is NaN, infinite or negative, a row falls, shapes differ, or there is no agent.

    Examples:
        >>> curves = MeasuredCurve(levels=[[1, 2, 4]], values=[[0, 1, 1], [0, 0, 1]])
        >>> curves.value([3, 3]).tolist()
        [1.0, 0.0]
        >>> curves.demand(price=0.3).tolist()  # the second query would have to pay 4 × 0.3 for a value of 1
        [2.0, 0.0]
    """

    levels: Numbers
    values: Numbers
    floor: Numbers = field(default_factory=lambda: np.zeros(()))
    cap: Numbers = field(default_factory=lambda: np.full((), np.inf))

    def __post_init__(self) -> None:
        values = np.atleast_2d(numbers(self.values, "values"))
        levels = np.atleast_2d(numbers(self.levels, "levels"))
        if values.ndim != 2 or levels.shape not in (values.shape, (1, values.shape[-1])):
            raise ValueError(f"levels and values must be (agent, level), got {levels.shape} and {values.shape}.")
        if values.size == 0:
            raise ValueError("a stream needs at least one query and one level, got none.")
        levels = np.broadcast_to(levels, values.shape)
        _rising(levels)
        values = _as_the_last(levels, values)
        floor, cap = numbers(self.floor, "floor"), numbers(self.cap, "cap", infinite=True)
        bounds = per_agent(len(values), floor=floor, cap=cap)
        for name, array in {"levels": levels, "values": values, **bounds}.items():
            object.__setattr__(self, name, array)
        limits(len(values), self.floor, self.cap)

    @override
    def value(self, spend: ArrayLike) -> Numbers:
        spends = np.asarray(spend, dtype=np.float64)
        place = (self.levels <= spends[..., None]).sum(axis=-1) - 1
        rows = np.broadcast_to(np.arange(self.n_agents), place.shape)
        return np.where(place >= 0, self.values[rows, np.maximum(place, 0)], 0.0)

    @override
    def marginal(self, spend: ArrayLike) -> Numbers:
        """The envelope's slope to the right: a step curve itself has none."""
        spends = np.asarray(spend, dtype=np.float64)[..., None]
        beyond = np.where(self._from_floor.spend > spends, self._from_floor.slope, 0.0)
        return np.asarray(beyond.max(axis=-1, where=np.isfinite(beyond), initial=0.0))

    @override
    def demand(self, price: float) -> Numbers:
        return self._from_floor.demand(price)

    @override
    def demand_if_funded(self, price: float) -> Numbers:
        return np.where(self.choke_prices > 0, self._from_start.demand(price), self.floor)

    @property
    @override
    def start(self) -> Numbers:
        return self.demand_if_funded(np.inf)

    @cached_property
    def entry(self) -> Numbers:
        """See `Utility.entry`."""
        corners = self._from_floor.spend
        return corners[:, min(1, corners.shape[1] - 1)]

    @cached_property
    def most(self) -> Numbers:
        """See `Utility.most`."""
        return self.demand(0.0)

    @cached_property
    def choke_prices(self) -> Numbers:
        """See `Utility.choke_prices`."""
        slopes = self._from_floor.slope
        return slopes[:, 1] if slopes.shape[1] > 1 else np.zeros(self.n_agents)

    @property
    @override
    def jumps(self) -> Numbers:
        slopes = self._from_floor.slope[:, 1:]
        return slopes[slopes > 0]

    @property
    @override
    def jumps_if_funded(self) -> Numbers:
        slopes = self._from_start.slope[:, 1:]
        return slopes[slopes > 0]

    @property
    @override
    def thresholds(self) -> Numbers:
        """The first level worth anything; the last one where none is."""
        useful = self.values > 0
        first = np.where(useful.any(axis=1), useful.argmax(axis=1), useful.shape[1] - 1)
        return np.asarray(np.take_along_axis(self.levels, first[:, None], axis=1)[:, 0])

    @override
    def rescaled(self, unit: float) -> Self:
        return replace(self, levels=self.levels / unit, floor=self.floor / unit, cap=self.cap / unit)

    @override
    def in_whole_units(self) -> Self:
        """Levels are rounded up too: a part of a unit cannot be bought."""
        return replace(self, levels=np.ceil(self.levels), floor=np.ceil(self.floor), cap=np.floor(self.cap))

    @override
    def steps(self, quantum: float = 1.0) -> Steps:
        """Along the envelope; there is no smaller step than a level."""
        corners, slopes = self._from_floor.spend, self._from_floor.slope[:, 1:]
        cost = np.diff(corners, axis=1)
        agent, place = np.nonzero(slopes > 0)
        return Steps(agent, cost[agent, place], (cost * slopes)[agent, place])

    @override
    def filled(self, spend: Numbers, room: float) -> Numbers:
        """Rounds in which each agent may go up to the level that gains most per unit and fits, the best ones first.

        Ties go to the earlier agent. A round ends with the first step that no longer fits; the last one takes none.
        """
        spend = spend.copy()
        while True:
            cost, gain = self.levels - spend[:, None], self.values - self.value(spend)[:, None]
            fits = self._allowed & (cost > 0) & (gain > 0) & (cost <= room)
            rate = np.divide(gain, cost, out=np.zeros_like(gain), where=fits)
            level = np.argmax(rate, axis=1)
            best = rate[np.arange(self.n_agents), level]
            order = np.argsort(-best, kind="stable")[: int((best > 0).sum())]
            paid = np.cumsum(cost[order, level[order]])
            taken = order[paid <= room]
            if not len(taken):
                return spend
            spend[taken] = self.levels[taken, level[taken]]
            room -= float(paid[len(taken) - 1])

    def reached(self, spend: Numbers) -> Numbers:
        """The largest level within each spend, or the floor, shape (agent,): what is worth as much and costs less."""
        place = (self.levels <= spend[:, None] * (1 + 1e-12)).sum(axis=1) - 1
        level = np.take_along_axis(self.levels, np.maximum(place, 0)[:, None], axis=1)[:, 0]
        return np.maximum(np.where(place >= 0, level, 0.0), self.floor)

    @override
    def demand_of(self, agent: int, price: float) -> float:
        slopes = self._from_floor.slope[agent]
        return float(self._from_floor.spend[agent, max(int((slopes > price).sum()) - 1, 0)])

    @cached_property
    def _allowed(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return (self.levels > self.floor[:, None]) & (self.levels <= self.cap[:, None])

    @cached_property
    def _from_floor(self) -> Envelope:
        spend = np.column_stack([self.floor, self.levels])
        value = np.column_stack([self.value(self.floor), self.values])
        return envelope(spend, value, np.column_stack([np.ones(self.n_agents, dtype=np.bool_), self._allowed]))

    @cached_property
    def _from_start(self) -> Envelope:
        gains = self._allowed & (self.values > self.value(self.floor)[:, None])
        return envelope(self.levels, self.values, gains)


def _rising(levels: Numbers) -> None:
    steps = np.diff(levels, axis=1)
    if (steps < 0).any():
        agent, level = (int(i) for i in np.argwhere(steps < 0)[0])
        raise ValueError(
            f"levels must rise along a row: agent {agent} has {levels[agent, level + 1]} after {levels[agent, level]}. "
            "Sort them."
        )


def _as_the_last(levels: Numbers, values: Numbers) -> Numbers:
    """Values in which equal levels all have the value of the last of them."""
    n_levels = levels.shape[1]
    is_last = np.concatenate([np.diff(levels, axis=1) > 0, np.ones((len(levels), 1), dtype=np.bool_)], axis=1)
    place = np.where(is_last, np.arange(n_levels), n_levels)
    place = np.minimum.accumulate(place[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(np.take_along_axis(values, place, axis=1))
