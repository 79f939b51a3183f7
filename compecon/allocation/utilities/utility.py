"""The value of spending to each agent."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields, replace
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from compecon.allocation.utilities.arrays import Numbers

_MOST_STEPS = 2_000_000  # in one table of steps: 50 MB


class Steps(NamedTuple):
    """Purchases that follow one another, each agent's in order, with a gain per unit that never rises."""

    agent: NDArray[np.intp]  # which agent buys, shape (step,)
    cost: Numbers  # its spend, above 0
    gain: Numbers  # its value, above 0


class Utility(ABC):
    """One curve for each agent. An agent is anything that can spend: a query (tokens), a text (keys read, MACs).

    Every agent spends at least its floor and at most its cap. Value is in the curve's own unit (correct answers, or
    latent utility), a price in that unit per unit of the budget. Curves may be flat at first and jump, so that an agent
    is either *abandoned*, which means it stays at its floor, or *funded*, on the upper part of its curve.

    Subclasses are final frozen dataclasses, or abstract.

    Attributes:
        floor: Least spend, shape (agent,), at least 0.
        cap: Largest spend, shape (agent,), at least the floor; infinity for none.

    Examples:
        >>> from compecon.allocation import MeasuredCurve
        >>> curves = MeasuredCurve([[1, 2, 4]], [[0, 1, 1], [0, 0, 1]])
        >>> isinstance(curves, Utility), curves.n_agents, curves.choke_prices.tolist()
        (True, 2, [0.5, 0.25])
        >>> curves.within(cap=3).demand(price=0.1).tolist()
        [2.0, 0.0]
    """

    floor: Numbers
    cap: Numbers

    @property
    def n_agents(self) -> int:
        """How many agents there are, at least 1."""
        return len(self.floor)

    @abstractmethod
    def value(self, spend: ArrayLike) -> Numbers:
        """Value of a spend of shape (..., agent), same shape. Limits are not applied: any spend from 0 on has one."""

    @abstractmethod
    def marginal(self, spend: ArrayLike) -> Numbers:
        """Value of a little more, per unit, shape (..., agent): the derivative to the right."""

    @abstractmethod
    def demand(self, price: float) -> Numbers:
        """Spend within the limits that maximises ``value - price * spend``, shape (agent,).

        Of equally good spends the smallest: at its choke price an agent buys nothing beyond its floor.
        """

    @abstractmethod
    def demand_if_funded(self, price: float) -> Numbers:
        """The same among the spends of a funded agent, even if staying at the floor would be better."""

    @property
    @abstractmethod
    def start(self) -> Numbers:
        """Least spend of a funded agent: where its smooth part begins; the floor if it cannot be."""

    @property
    @abstractmethod
    def entry(self) -> Numbers:
        """What an agent buys as soon as the price is below its choke price; the floor if that is 0."""

    @property
    @abstractmethod
    def most(self) -> Numbers:
        """Demand at price 0: more than this brings nothing, or harms."""

    @property
    @abstractmethod
    def choke_prices(self) -> Numbers:
        """Price from which on each agent buys nothing beyond its floor, shape (agent,)."""

    @property
    @abstractmethod
    def thresholds(self) -> Numbers:
        """Spend at which the first value appears, shape (agent,)."""

    def take(self, agents: Any) -> Self:
        """Only these agents: anything that indexes an array (a mask, places, a slice)."""
        arrays = {each.name: np.atleast_1d(getattr(self, each.name)[agents]) for each in fields(self)}  # type: ignore[arg-type]
        return replace(self, **arrays)  # type: ignore[type-var]

    def within(self, floor: ArrayLike | None = None, cap: ArrayLike | None = None) -> Self:
        """The same curves under other limits, one number or one per agent; None keeps the limit.

        Args:
            floor: Least spend: a minimum service.
            cap: Largest spend: a context length.
        """
        given = {"floor": self.floor if floor is None else floor, "cap": self.cap if cap is None else cap}
        return replace(self, **given)  # type: ignore[type-var]

    @abstractmethod
    def rescaled(self, unit: float) -> Self:
        """The same curves with spends counted in units of ``unit``, which is above 0."""

    @property
    def jumps(self) -> Numbers:
        """Prices at which demand may jump, in any order. Between them it is continuous."""
        return self.choke_prices

    @property
    def jumps_if_funded(self) -> Numbers:
        """The same for `demand_if_funded`: none for continuous curves."""
        return np.empty(0)

    @cached_property
    def choke_price(self) -> float:
        """Lowest price at which no agent buys beyond its floor."""
        return float(self.choke_prices.max())

    def steps(self, quantum: float = 1.0) -> Steps:
        """Everything worth buying, cut into pieces: first up to the entry, then ``quantum`` at a time up to the most.

        Pieces are larger if there would be more than two million.
        """
        gains = self.most > self.floor
        if not gains.any():
            return Steps(np.empty(0, dtype=np.intp), np.empty(0), np.empty(0))
        entry, most = np.where(gains, self.entry, self.floor), np.where(gains, self.most, self.floor)
        quantum = max(quantum, float((most - entry).sum()) / _MOST_STEPS)
        n_steps = np.where(gains, np.ceil((most - entry) / quantum).astype(np.intp) + 1, 0)
        agent = np.repeat(np.arange(self.n_agents), n_steps)
        number = np.arange(len(agent)) - np.repeat(np.cumsum(n_steps) - n_steps, n_steps)
        after = np.minimum(entry[agent] + number * quantum, most[agent])
        before = np.where(number > 0, entry[agent] + (number - 1) * quantum, self.floor[agent])
        curves = self.take(agent)
        cost, gain = after - before, curves.value(after) - curves.value(before)
        real = (cost > 0) & (gain > 0)
        return Steps(agent[real], cost[real], gain[real])

    def filled(self, spend: Numbers, room: float) -> Numbers:  # noqa: ARG002 - for curves of steps
        """Spends that also use what is left over, ``room``, where that gains; continuous curves have no use for it."""
        return spend

    def in_whole_units(self) -> Self:
        """The same with limits in whole units: floors rounded up, caps down.

        Raises:
            ValueError: If an agent's floor is then above its cap.
        """
        return self.within(np.ceil(self.floor), np.floor(self.cap))

    def demand_of(self, agent: int, price: float) -> float:
        """Demand of one agent, without computing the others'."""
        return float(self.take([agent]).demand(price)[0])


def limits(n_agents: int, floor: Numbers, cap: Numbers) -> None:
    """Refuse floors above caps.

    Raises:
        ValueError: If there is one.
    """
    if not (floor <= cap).all():
        agent = int(np.argmax(floor > cap))
        raise ValueError(
            f"the floor of agent {agent} of {n_agents} is {floor[agent]}, above its cap {cap[agent]}. Lower the floor."
        )
