"""A sweep's runs by state, and a row for each point with its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from compecon.errors import RunError
from compecon.files.durable import Json
from compecon.runs.home import Home
from compecon.runs.run_record import RunState
from compecon.runs.store import RunStore
from compecon.runs.sweeps.sweep import Point, Sweep


@final
@dataclass(frozen=True)
class SweepRow:
    """A point and its results."""

    run_id: str  # its run
    point: Point  # settings in which it differs
    state: RunState | None  # of the run; None if it is not there: not submitted yet, or deleted
    reason: str = ""  # why, one sentence; may be empty
    metric: Mapping[str, Json] | None = None  # name, split, value, low, high and n of the measured metric, if any
    macs: int | None = None  # MACs of the new model, if any
    latency: Mapping[str, Json] | None = None  # ratio to its parent's time, low and high, if measured


@final
@dataclass(frozen=True)
class SweepRecord:
    """A sweep as it was when it was read: what was submitted, and a row for each point."""

    sweep: Sweep
    rows: tuple[SweepRow, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Number of runs in each state; "MISSING" for those that are not there."""
        states = [row.state.value if row.state else "MISSING" for row in self.rows]
        return {state: states.count(state) for state in dict.fromkeys([*RunState, "MISSING"]) if state in states}


def sweep_record(store: RunStore, sweep_id: str) -> SweepRecord:
    """A sweep with the states and results of its runs."""
    sweep = Sweep.read(store.home, sweep_id)
    pairs = zip(sweep.run_ids, sweep.points, strict=True)
    return SweepRecord(sweep, tuple(_row(store, run_id, point) for run_id, point in pairs))


def sweeps(home: Home) -> tuple[str, ...]:
    """Names of all sweeps, newest first; one that cannot be read comes last."""
    names = [path.stem for path in home.sweeps.glob("sweep-*.json") if "." not in path.stem]  # not what was set aside
    return tuple(sorted(names, key=lambda name: (-_order(home, name), name)))


def _row(store: RunStore, run_id: str, point: Point) -> SweepRow:
    try:
        record = store.get(run_id)
    except RunError:
        return SweepRow(run_id, point, None)
    found = record.status.results
    metric, macs, latency = (found.get(name) for name in ("metric", "macs", "latency"))
    return SweepRow(
        run_id,
        point,
        record.state,
        record.reason,
        metric if isinstance(metric, dict) else None,
        macs if isinstance(macs, int) else None,
        latency if isinstance(latency, dict) else None,
    )


def _order(home: Home, sweep_id: str) -> int:
    try:
        return Sweep.read(home, sweep_id).order
    except RunError:
        return -1
