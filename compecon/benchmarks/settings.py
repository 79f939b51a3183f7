"""How long a benchmark may measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Settings:
    """Extent of a run.

    Attributes:
        quick: Fewer samples and shorter texts: a look, not a result to quote.
    """

    quick: bool = False

    def pick(self, full: int, quick: int) -> int:
        """One of two numbers."""
        return quick if self.quick else full
