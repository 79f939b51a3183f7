"""Bundled checkpoints of earlier versions, and what takes their place. Loads without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Successor:
    """What takes the place of a checkpoint that is bundled no longer."""

    name: str  # of a bundled checkpoint
    size: float  # of it: a share of the MACs; 1 for the whole

    def told(self, old: str) -> str:
        """A sentence on where the old one went."""
        size = "" if self.size == 1 else f" at {self.size:.0%} of the MACs"
        return f"{old} is no longer bundled; {self.name}{size} takes its place."


SUCCESSORS = {
    f"{task}-{suffix}": Successor(f"{task}-elastic", size)
    for task in ("sentiment", "similarity")
    for suffix, size in (("60", 0.6), ("45", 0.45), ("30", 0.3), ("any-budget", 1.0))
}


def successor_of(name: str) -> Successor | None:
    """What takes the place of a bundled checkpoint of an earlier version; None for any other name.

    Example:
        >>> successor_of("sentiment-45")
        Successor(name='sentiment-elastic', size=0.45)
    """
    return SUCCESSORS.get(name)
