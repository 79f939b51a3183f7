"""What a page asks of a model, as both sides of the pipe know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self, final


@final
@dataclass(frozen=True)
class SweepJob:
    """One text to be read at every budget."""

    ASK: ClassVar = "sweep"  # name of the question
    NEEDS_QUIET: ClassVar = False  # whether it runs only while no other job does

    checkpoint: str  # name of a bundled checkpoint, or a folder or cached Hub id from the catalog
    device: str  # "auto", "cpu", "cuda" or "mps"
    text: str
    pair: str = ""  # the second text of a pair, or ""
    policy: str = "top-k"  # key of the policy menu
    layer: int = 0  # layer to send when not all fit
    head: int = 0  # head of that layer to send when the layer does not fit
    budgets: tuple[int, ...] = ()  # only these budgets; empty for all
    first: int | None = None  # a budget wanted before others
    size: float | None = None  # of an elastic checkpoint, a share of its MACs; None for the checkpoint as it is

    @property
    def known_as(self) -> Self:
        """What its result is remembered under: the order of arrival does not change it, and size 1 is the whole."""
        return replace(self, first=None, size=None if self.size == 1 else self.size)

    def fields(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """From JSON."""
        return cls(**{**fields, "budgets": tuple(fields["budgets"])})
