"""Whole-unit spends that an optimal allocation may contain, and what each falls short of the best at a price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.utility import Utility


@final
@dataclass(frozen=True, eq=False)
class Choices:
    """Spends of all agents in one table, an agent's choices next to each other, its least first.

    Attributes:
        agent: Whose choice, shape (choice,), ascending.
        spend: In whole units.
        loss: Surplus that it falls short of the agent's best one here, at least 0; 0 for the best.
        bound: Price × budget plus everybody's best surplus: what these choices can be worth at most.
    """

    agent: NDArray[np.intp]
    spend: NDArray[np.int64]
    loss: Numbers
    bound: float

    def within(self, loss: float) -> Choices:
        """Those that fall short by no more. No solution that loses less than this contains another one."""
        kept = self.loss <= loss
        return Choices(self.agent[kept], self.spend[kept], self.loss[kept], self.bound)


def choices(curves: Utility, budget: float, price: float, loss: float) -> Choices:
    """Every whole-unit choice that may lose no more than ``loss`` at a price.

    Args:
        curves: Curves with whole limits.
        budget: Total, for the bound.
        price: At least 0.
        loss: What may be lost.
    """
    agent, spend = _levels(curves) if isinstance(curves, MeasuredCurve) else _whole_numbers(curves, price, loss)
    surplus = curves.take(agent).value(spend) - price * spend
    first = np.flatnonzero(np.diff(agent, prepend=-1))
    best = np.maximum.reduceat(surplus, first)
    table = Choices(agent, spend.astype(np.int64), best[agent] - surplus, float(price * budget + best.sum()))
    return table.within(loss)


def _levels(curves: MeasuredCurve) -> tuple[NDArray[np.intp], Numbers]:
    """The floor, and the levels beyond it that fit."""
    spends = np.column_stack([curves.floor, curves.levels])
    keep = (spends > curves.floor[:, None]) & (spends <= curves.cap[:, None])
    keep &= np.diff(spends, axis=1, append=np.inf) > 0
    keep[:, 0] = True
    agent, place = np.nonzero(keep)
    return agent, spends[agent, place]


def _whole_numbers(curves: Utility, price: float, loss: float) -> tuple[NDArray[np.intp], Numbers]:
    """The floor, and all from the start to where even the most that could still be gained is not worth the price."""
    funded = curves.demand_if_funded(price)
    top = curves.most
    if price > 0:
        top = np.minimum(top, funded + (loss + curves.value(top) - curves.value(funded)) / price)
    first, last = np.ceil(_flat_end(curves)), np.minimum(np.ceil(top), np.floor(curves.cap))
    first = np.maximum(first, curves.floor + 1.0)
    count = np.maximum(last - first + 1.0, 0.0).astype(np.intp) * (curves.choke_prices > 0)
    n_choices = count + 1
    agent = np.repeat(np.arange(curves.n_agents), n_choices)
    number = np.arange(len(agent)) - np.repeat(np.cumsum(n_choices) - n_choices, n_choices)
    return agent, np.where(number == 0, curves.floor[agent], first[agent] + number - 1)


def _flat_end(curves: Utility) -> Numbers:
    return np.maximum(curves.thresholds, curves.floor)
