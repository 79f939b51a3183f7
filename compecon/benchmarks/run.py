"""Runs benchmarks by name, one after another; one that cannot run says why and does not stop the others."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, final

import psutil

from compecon.benchmarks.browser import browser_facts
from compecon.benchmarks.figures import Settings, Table, table_text
from compecon.errors import CompeconError, did_you_mean
from compecon.files.durable import plain, write_json
from compecon.provenance import hardware, versions

BENCHMARKS = (
    "coldstart",
    "frames",
    "frontier",
    "newtext",
    "models",
    "sweep",
    "attention",
    "scale",
    "memory",
    "incentive",
    "compaction",
    "elastic",
    "route",
    "dataset",
    "market",
    "traces",
    "thresholds",
    "allocation",
    "runs",
    "bertviz",
)
SCHEMA = 1
_PAGE = ("streamlit", "playwright")
_THREADS = ("OMP_NUM_THREADS", "COMPECON_THREADS")


@final
@dataclass(frozen=True)
class Outcome:
    """What became of one benchmark."""

    name: str  # one of ``BENCHMARKS``
    tables: tuple[Table, ...]  # what it found; empty if it could not run
    problem: str  # why it could not run, in one sentence; empty if it could
    load: tuple[float, float]  # load average before and after
    seconds: float  # how long it took

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
    """Run some of `BENCHMARKS`, or all without names, and print each result as soon as it is known.

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


def machine_facts() -> dict[str, str]:
    """Name and value of everything that moves a figure and stays the same during a run."""
    machine, memory = hardware(), psutil.virtual_memory().total / 2**30
    threads = ", ".join(f"{name}={os.environ.get(name, 'not set')}" for name in _THREADS)
    return {
        "cpu": f"{machine['processor']}, {machine['cores']} cores, {memory:.0f} GiB",
        "system": machine["system"],
        **versions(),
        **{name: version(name) for name in _PAGE if find_spec(name)},
        "threads": f"{threads}; torch in this process: 1",
    }


def facts_text(facts: Mapping[str, str]) -> str:
    """One fact a line."""
    width = max(len(name) for name in facts)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in facts.items())


def write_outcomes(file: Path, outcomes: Sequence[Outcome], settings: Settings) -> None:
    """Write everything as JSON, every sample included."""
    content = {
        "schema": SCHEMA,
        "quick": settings.quick,
        "facts": all_facts(),
        "benchmarks": [outcome.fields() for outcome in outcomes],
    }
    write_json(file, plain(content))


def _outcome(name: str, settings: Settings) -> Outcome:
    started, before = time.perf_counter(), _load_average()
    tables: list[Table] = []
    problem = ""
    try:
        tables = import_module(f"compecon.benchmarks.{name}").measure(settings)
    except (CompeconError, OSError) as error:
        problem = str(error)
    return Outcome(name, tuple(tables), problem, (before, _load_average()), time.perf_counter() - started)


def _load_average() -> float:
    """Mean number of runnable processes over the last minute; NaN where the system does not count them."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
