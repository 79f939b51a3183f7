"""The optimum in whole units: a dynamic programme over differences from every agent's favourite choice at a price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.utility import Utility

_MOST_CHOICES = 20_000_000
_MOST_STATES = 20_000_000  # at a time: 160 MB
_MOST_KEPT = 200_000_000  # of all agents together, to find the way back: 400 MB


class TooMuchWorkError(Exception):
    """The programme would take more steps, or more memory, than allowed."""


@final
@dataclass(frozen=True, eq=False)
class Choices:
    """Whole-unit spends that an optimum may contain, an agent's choices next to each other, its least first."""

    agent: NDArray[np.intp]  # whose choice, shape (choice,), ascending
    spend: NDArray[np.int64]  # in whole units
    loss: Numbers  # difference of its surplus from the agent's best one here, at least 0; 0 for the best
    bound: float  # price × budget plus the best surpluses: the most that these choices can be worth

    def within(self, loss: float) -> Choices:
        """Those that lose no more. No solution that loses less than this contains another one."""
        kept = self.loss <= loss
        return Choices(self.agent[kept], self.spend[kept], self.loss[kept], self.bound)


def choices(curves: Utility, budget: float, price: float, loss: float) -> Choices:
    """Every choice that loses no more than `loss` at a price; the curves have whole limits.

    Raises:
        TooMuchWorkError: If there are too many.
    """
    agent, spend = _levels(curves) if isinstance(curves, MeasuredCurve) else _whole_numbers(curves, price, loss)
    surplus = curves.take(agent).value(spend) - price * spend
    best = np.maximum.reduceat(surplus, np.flatnonzero(np.diff(agent, prepend=-1)))
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
    funded, top = curves.demand_if_funded(price), curves.most
    if price > 0:
        top = np.minimum(top, funded + (loss + curves.value(top) - curves.value(funded)) / price)
    first = np.maximum(np.ceil(np.maximum(curves.thresholds, curves.floor)), curves.floor + 1.0)
    last = np.minimum(np.ceil(top), np.floor(curves.cap))
    n_choices = 1 + np.maximum(last - first + 1.0, 0.0).astype(np.intp) * (curves.choke_prices > 0)
    if n_choices.sum() > _MOST_CHOICES:
        raise TooMuchWorkError
    agent = np.repeat(np.arange(curves.n_agents), n_choices)
    number = np.arange(len(agent)) - np.repeat(np.cumsum(n_choices) - n_choices, n_choices)
    return agent, np.where(number == 0, curves.floor[agent], first[agent] + number - 1)


class _Agent(NamedTuple):
    """An agent, the units by which each of its choices differs from its favourite one, and what each loses."""

    agent: int
    away: NDArray[np.int64]
    loss: Numbers


def least_loss(
    table: Choices, budget: int, price: float, allowed: float, most_work: float
) -> tuple[float, NDArray[np.int64]] | None:
    """The choice of each agent that together lose least, if that is no more than allowed.

    A unit left unspent loses the price. States are total differences from the favourite choices; one that has lost more
    than allowed is dropped, so that few are left when little is allowed.

    Args:
        table: Choices of which none loses more than allowed.
        budget: Whole units.
        price: Loss of a unit that is left over.
        allowed: Largest loss.
        most_work: Approximate number of updates of states after which it gives up.

    Returns:
        The loss, and the spends, shape (agent,); None if every allocation loses more.

    Raises:
        TooMuchWorkError: If it gave up.
    """
    agents, favourite = _agents(table)
    low, losses = 0, np.zeros(1)
    trail: list[tuple[int, NDArray[np.int16]]] = []
    work, n_kept = 0.0, 0
    for each in agents:
        n_states = len(losses) + int(np.ptp(each.away))
        work += len(losses) * len(each.away)
        n_kept += n_states
        if work > most_work or n_states > _MOST_STATES or n_kept > _MOST_KEPT:
            raise TooMuchWorkError
        low, losses, chosen = _extended(low, losses, each, allowed)
        trail.append((low, chosen))
    unspent = budget - int(favourite.sum()) - low - np.arange(len(losses))
    total = np.where(unspent >= 0, losses + price * np.maximum(unspent, 0), np.inf)
    state = int(np.argmin(total))
    if not total[state] <= allowed:
        return None
    spend, at = favourite.copy(), low + state
    for each, (low, chosen) in zip(reversed(agents), reversed(trail), strict=True):
        away = int(each.away[chosen[at - low]])
        spend[each.agent] += away
        at -= away
    return float(total[state]), spend


def _agents(table: Choices) -> tuple[list[_Agent], NDArray[np.int64]]:
    """Agents with a real choice, those whose choices lie far apart last, and the favourites of all."""
    starts = np.flatnonzero(np.diff(table.agent, prepend=-1))
    ends = np.append(starts[1:], len(table.agent))
    favourite = np.zeros(len(starts), dtype=np.int64)
    agents = []
    for agent, (start, end) in enumerate(zip(starts, ends, strict=True)):
        spend, loss = table.spend[start:end], table.loss[start:end]
        favourite[agent] = spend[np.argmin(loss)]
        if end - start > 1:
            agents.append(_Agent(agent, spend - favourite[agent], loss))
    agents.sort(key=lambda each: int(np.ptp(each.away)))
    return agents, favourite


def _extended(low: int, losses: Numbers, each: _Agent, allowed: float) -> tuple[int, Numbers, NDArray[np.int16]]:
    """States after one more agent: the lowest of them, the least loss of each, and the choice that led to it."""
    first, last = int(each.away.min()), int(each.away.max())
    after = np.full(len(losses) + last - first, np.inf)
    chosen = np.zeros(len(after), dtype=np.int16)
    for choice, (away, loss) in enumerate(zip(each.away.tolist(), each.loss.tolist(), strict=True)):
        part = slice(away - first, away - first + len(losses))
        lost = losses + loss
        better = lost < after[part]
        np.copyto(after[part], lost, where=better)
        np.copyto(chosen[part], choice, where=better)
    alive = np.flatnonzero(after <= allowed)
    part = slice(int(alive[0]), int(alive[-1]) + 1)  # favourites lose nothing, so one always is
    return low + first + part.start, after[part], chosen[part]
