"""What a benchmark found: samples, the goal they were measured against, and tables of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

import numpy as np

Statistic: TypeAlias = Literal["median", "p95", "max"]
_QUANTILES: dict[Statistic, float] = {"median": 50, "p95": 95, "max": 100}


def quantile(values: Sequence[float], statistic: Statistic) -> float:
    """One statistic of some samples, linear between neighbours.

    Returns:
        NaN without samples.
    """
    return float(np.percentile(values, _QUANTILES[statistic])) if len(values) else math.nan


@final
@dataclass(frozen=True)
class Goal:
    """A statistic that should not be above a number, in the unit of the figure."""

    statistic: Statistic
    at_most: float


@final
@dataclass(frozen=True)
class Figure:
    """One line of a table.

    Attributes:
        label: What was measured.
        unit: "ms", "s", "×", "MB", "" for a count.
        values: Every sample, in the order of measuring.
        goal: What it should be; None for a figure that is only told.
        instead: In place of numbers, why there are none; "" if there are.
    """

    label: str
    unit: str
    values: tuple[float, ...]
    goal: Goal | None = None
    instead: str = ""

    def is_met(self) -> bool | None:
        """Whether the goal was reached; None without a goal or without samples."""
        if self.goal is None or not self.values:
            return None
        return quantile(self.values, self.goal.statistic) <= self.goal.at_most

    def fields(self) -> dict[str, Any]:
        """Everything as JSON, samples included."""
        goal = self.goal and {"statistic": self.goal.statistic, "at_most": self.goal.at_most, "met": self.is_met()}
        statistics: dict[str, float] = {s: quantile(self.values, s) for s in _QUANTILES} if self.values else {}
        samples = [round(value, 4) for value in self.values]
        return {
            "label": self.label,
            "unit": self.unit,
            "n": len(samples),
            **statistics,
            "goal": goal,
            "instead": self.instead,
            "samples": samples,
        }


@final
@dataclass(frozen=True)
class Table:
    """Figures that were measured together.

    Attributes:
        title: What they are about.
        figures: The lines.
        notes: How they were measured, a sentence each.
    """

    title: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()

    def fields(self) -> dict[str, Any]:
        """Everything as JSON."""
        return {"title": self.title, "figures": [f.fields() for f in self.figures], "notes": list(self.notes)}
