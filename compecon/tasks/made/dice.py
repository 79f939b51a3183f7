"""Chance that comes out the same on every machine and with every version of Python."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import TypeVar, final

Item = TypeVar("Item")


@final
class Dice:
    """Draws from a seed.

    Of `random.Random` only the method `random` is promised to stay as it is: `choice`, `sample` and `shuffle` have
    changed before.
    """

    def __init__(self, seed: int) -> None:
        self._next = random.Random(seed).random  # noqa: S311 - nothing secret

    def chance(self, share: float) -> bool:
        """True in this share of draws."""
        return self._next() < share

    def pick(self, items: Sequence[Item]) -> Item:
        """One of them."""
        return items[int(self._next() * len(items))]

    def several(self, items: Iterable[Item], n: int) -> list[Item]:
        """This many of them, each at most once, in random order."""
        left = list(items)
        return [left.pop(int(self._next() * len(left))) for _ in range(n)]
