"""A measurement that a page asks of a model, as both sides of the pipe know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self, final


@final
@dataclass(frozen=True)
class LatencyJob:
    """One text whose forward passes are to be timed at every size of an elastic checkpoint."""

    ASK: ClassVar = "latency"  # name of the question
    NEEDS_QUIET: ClassVar = True  # whether it runs only while no other job does

    checkpoint: str  # a folder or cached Hub id from the catalog
    device: str  # "auto", "cpu", "cuda" or "mps"
    text: str
    pair: str = ""  # the second text of a pair, or ""

    @property
    def known_as(self) -> None:
        """Nothing: what is measured is not remembered."""

    def fields(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """From JSON."""
        return cls(**fields)
