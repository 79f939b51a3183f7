"""A dynamic programme over how far an allocation is from everybody's favourite choice at a price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from compecon.allocation.choices import Choices
from compecon.allocation.utilities.arrays import Numbers


class TooMuchWorkError(Exception):
    """The programme would take more steps than allowed."""


@final
@dataclass(frozen=True, eq=False)
class _Agent:
    """One agent's choices.

    Attributes:
        agent: Which one.
        away: Units by which each choice differs from the favourite one.
        loss: What it costs.
    """

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
        price: What a unit left over loses.
        allowed: Largest loss.
        most_work: Updates of states, about; beyond that it gives up.

    Returns:
        The loss, and the spends, shape (agent,); None if every allocation loses more.

    Raises:
        TooMuchWorkError: If it gave up.
    """
    agents, favourite = _agents(table)
    low, losses = 0, np.zeros(1)
    trail: list[tuple[int, NDArray[np.int16]]] = []
    work = 0.0
    for each in agents:
        work += len(losses) * len(each.away)
        if work > most_work:
            raise TooMuchWorkError
        low, losses, chosen = _extended(low, losses, each, allowed)
        trail.append((low, chosen))
    unspent = budget - int(favourite.sum()) - low - np.arange(len(losses))
    total = np.where(unspent >= 0, losses + price * np.maximum(unspent, 0), np.inf)
    state = int(np.argmin(total))
    if not total[state] <= allowed:
        return None
    return float(total[state]), _traced(agents, favourite, trail, low + state)


def _agents(table: Choices) -> tuple[list[_Agent], NDArray[np.int64]]:
    """Agents with a real choice, those whose choices lie far apart last, and everybody's favourite."""
    starts = np.flatnonzero(np.diff(table.agent, prepend=-1))
    ends = np.append(starts[1:], len(table.agent))
    favourite = np.zeros(len(starts), dtype=np.int64)
    agents = []
    for agent, (start, end) in enumerate(zip(starts, ends, strict=True)):
        spend, loss = table.spend[start:end], table.loss[start:end]
        favourite[agent] = spend[np.argmin(loss)]
        if end - start > 1:
            agents.append(_Agent(agent, spend - favourite[agent], loss))
    agents.sort(key=lambda each: int(each.away.max() - each.away.min()))
    return agents, favourite


def _extended(low: int, losses: Numbers, each: _Agent, allowed: float) -> tuple[int, Numbers, NDArray[np.int16]]:
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


def _traced(
    agents: list[_Agent], favourite: NDArray[np.int64], trail: list[tuple[int, NDArray[np.int16]]], state: int
) -> NDArray[np.int64]:
    spend = favourite.copy()
    for each, (low, chosen) in zip(reversed(agents), reversed(trail), strict=True):
        away = int(each.away[chosen[state - low]])
        spend[each.agent] += away
        state -= away
    return spend
