"""Several times of one thing as three numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, final

import numpy as np


@final
@dataclass(frozen=True, slots=True)
class Timing:
    """How long something took, over several times: the median, and the quartiles around it, in seconds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Self:
        """The quartiles of some samples, one at least; between two samples a straight line.

        Example:
            >>> Timing.of([0.001, 0.002, 0.004, 0.003, 0.009])
            Timing(median=0.003, low=0.002, high=0.004)
        """
        if not len(seconds):
            raise ValueError("a timing needs at least one sample, got none.")
        low, median, high = np.quantile(seconds, (0.25, 0.5, 0.75)).tolist()
        return cls(median, low, high)
