"""Runs benchmarks by name, one after another; what cannot run says why and holds up nobody."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, final

from compecon.benchmarks.browser import browser_facts
from compecon.benchmarks.figures import Table
from compecon.benchmarks.machine import facts_text, load_average, machine_facts
from compecon.benchmarks.settings import Settings
from compecon.benchmarks.text import table_text
from compecon.errors import CompeconError, did_you_mean
from compecon.files.durable import plain, write_json

BENCHMARKS = (
    "coldstart",
    "drag",
    "frontier",
    "compare",
    "newtext",
    "sweep",
    "attention",
    "incentive",
    "compaction",
    "dataset",
    "market",
    "traces",
    "thresholds",
    "allocation",
    "runs",
    "bertviz",
)
SCHEMA = 1


@final
@dataclass(frozen=True)
class Outcome:
    """What became of one benchmark.

    Attributes:
        name: One of ``BENCHMARKS``.
        tables: What it found; empty if it could not run.
        problem: Why it could not run, one sentence; empty if it could.
        load: Load average before and after.
        seconds: How long it took.
    """

    name: str
    tables: tuple[Table, ...]
    problem: str
    load: tuple[float, float]
    seconds: float

    def text(self) -> str:
        """For a terminal."""
        if self.problem:
            return f"{self.name}: not measured. {self.problem}"
        tables = "\n\n".join(map(table_text, self.tables))
        return f"{tables}\n  · Load average {self.load[0]:.1f} before, {self.load[1]:.1f} after; {self.seconds:.0f} s."

    def fields(self) -> dict[str, Any]:
        """As JSON."""
        tables = [table.fields() for table in self.tables]
        return {
            "name": self.name,
            "problem": self.problem,
            "load_average": list(self.load),
            "seconds": round(self.seconds, 1),
            "tables": tables,
        }


def run_benchmarks(names: Collection[str], settings: Settings, say: Callable[[str], object]) -> tuple[Outcome, ...]:
    """Run benchmarks and tell each result as soon as it is there.

    Args:
        names: Some of ``BENCHMARKS``; empty for all.
        settings: Extent.
        say: Gets text for a terminal.

    Raises:
        CompeconError: If there is no such benchmark.
    """
    if unknown := [name for name in names if name not in BENCHMARKS]:
        meant = did_you_mean(unknown[0], BENCHMARKS)
        raise CompeconError(f"There is no benchmark {unknown[0]!r}.{meant} Choose from {', '.join(BENCHMARKS)}.")
    say(facts_text(all_facts()))
    outcomes = []
    for name in BENCHMARKS:
        if not names or name in names:
            outcomes.append(_outcome(name, settings))
            say(f"\n{outcomes[-1].text()}")
    return tuple(outcomes)


def all_facts() -> Mapping[str, str]:
    """Machine, versions and browser."""
    return {**machine_facts(), **browser_facts()}


def write_outcomes(file: Path, outcomes: Sequence[Outcome], settings: Settings) -> None:
    """Everything, every sample included."""
    content = {
        "schema": SCHEMA,
        "quick": settings.quick,
        "facts": all_facts(),
        "benchmarks": [outcome.fields() for outcome in outcomes],
    }
    write_json(file, plain(content))


def _outcome(name: str, settings: Settings) -> Outcome:
    started, before = time.perf_counter(), load_average()
    tables: list[Table] = []
    problem = ""
    try:
        tables = import_module(f"compecon.benchmarks.{name}").measure(settings)
    except (CompeconError, OSError) as error:
        problem = str(error)
    return Outcome(name, tuple(tables), problem, (before, load_average()), time.perf_counter() - started)
