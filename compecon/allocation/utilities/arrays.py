"""Checked numbers: finite, not negative, one for each agent."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]


def numbers(values: ArrayLike, name: str, *, positive: bool = False, infinite: bool = False) -> Numbers:
    """Values as float64, if each is finite and at least 0; or above 0, or perhaps infinite.

    Raises:
        ValueError: If one is not; the message says which.
    """
    array = np.asarray(values, dtype=np.float64)
    good = (array > 0 if positive else array >= 0) & (infinite | (array < math.inf))
    if not good.all():
        place = tuple(int(i) for i in np.argwhere(~good)[0])
        where = f" at {', '.join(map(str, place))}" if place else ""
        wanted = f"{'above' if positive else 'at least'} 0{'' if infinite else ' and finite'}"
        raise ValueError(f"{name} must be {wanted}, got {array[place]}{where}.")
    return array


def per_agent(n_agents: int, **named: Numbers) -> dict[str, Numbers]:
    """Each array with one number per agent; a single number counts for all.

    Raises:
        ValueError: If one has another shape.
    """
    for name, array in named.items():
        if array.shape not in ((), (1,), (n_agents,)):
            raise ValueError(f"{name} must be one number or {n_agents}, one per agent, got shape {array.shape}.")
    return {name: np.broadcast_to(array, (n_agents,)) for name, array in named.items()}


def common_length(*arrays: Numbers) -> int:
    """The number of agents: the length of the longest array.

    Raises:
        ValueError: If there are none.
    """
    n_agents = max((array.size if array.ndim else 1) for array in arrays)
    if n_agents == 0 or any(array.size == 0 for array in arrays):
        raise ValueError("a stream needs at least one query, got none.")
    return n_agents
