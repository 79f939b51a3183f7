"""What a benchmark found: samples, the goal they were measured against, and tables of them, for people and as JSON."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

import numpy as np

Statistic: TypeAlias = Literal["median", "p95", "max"]
_QUANTILES: dict[Statistic, float] = {"median": 50, "p95": 95, "max": 100}
_HEAD = ("", "median", "p95", "n", "goal", "met")
_WIDTH = 110


@final
@dataclass(frozen=True)
class Settings:
    """Extent of a run; `quick` means fewer samples and shorter texts: a look, not a result to quote."""

    quick: bool = False

    def pick(self, full: int, quick: int) -> int:
        """One of two numbers."""
        return quick if self.quick else full


def quantile(values: Sequence[float], statistic: Statistic) -> float:
    """One statistic of some samples, linear between neighbours; NaN without samples."""
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
    """One line of a table."""

    label: str  # what was measured
    unit: str  # "ms", "s", "×", "MB", "" for a count
    values: tuple[float, ...]  # every sample, in the order of measuring
    goal: Goal | None = None  # what it should be; None for none
    instead: str = ""  # in place of numbers, why there are none; "" if there are

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
    """Figures that were measured together, with notes on how, a sentence each."""

    title: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()

    def fields(self) -> dict[str, Any]:
        """Everything as JSON."""
        return {"title": self.title, "figures": [f.fields() for f in self.figures], "notes": list(self.notes)}


def table_text(table: Table) -> str:
    """A table for a terminal, its notes below; every line at most about 110 characters wide."""
    rows = [_HEAD, *(_cells(figure) for figure in table.figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [table.title]
    for figure, row in zip((None, *table.figures), rows, strict=True):
        if figure is not None and figure.instead:
            lines.append(f"  {row[0]:<{widths[0]}}  {figure.instead}")
        else:
            numbers = "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:4], widths[1:4], strict=True))
            lines.append(f"  {row[0]:<{widths[0]}}  {numbers}  {row[4]:<{widths[4]}}  {row[5]}".rstrip())
    notes = [textwrap.fill(f"· {note}", _WIDTH, initial_indent="  ", subsequent_indent="    ") for note in table.notes]
    return "\n".join([*lines, *notes])


def _cells(figure: Figure) -> tuple[str, ...]:
    if figure.instead:
        return (figure.label, "", "", "", "", "")
    goal = figure.goal
    return (
        figure.label,
        amount(quantile(figure.values, "median"), figure.unit),
        amount(quantile(figure.values, "p95"), figure.unit),
        str(len(figure.values)),
        "" if goal is None else f"{goal.statistic} ≤ {amount(goal.at_most, figure.unit)}",
        {True: "yes", False: "NO", None: ""}[figure.is_met()],
    )


def amount(value: float, unit: str) -> str:
    """A number with three significant digits, and its unit.

    Examples:
        >>> amount(1.2345, "s"), amount(0.0, ""), amount(16.7, "ms"), amount(1234.0, "kB"), amount(2.5, "%")
        ('1.23 s', '0', '16.7 ms', '1234 kB', '2.50%')
    """
    if value != value:
        return "-"
    if value == int(value) and abs(value) < 1e9:
        digits = 0
    else:
        digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:.{digits}f}{'' if unit == '%' else ' '}{unit}".rstrip()
