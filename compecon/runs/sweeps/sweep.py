"""Runs that belong together: of one recipe, one per point, started, limited, stopped and resumed as a whole.

A sweep is a file, written before its first run is submitted. The names of its runs follow from its own name and the
points, so that repeating an interrupted submission completes it, and nothing runs twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, final

from compecon.errors import RunError
from compecon.files.durable import MAX_JSON_BYTES, Json, read_json, write_json
from compecon.runs.home import Home, system_errors
from compecon.runs.parts import read_parts, written_parts
from compecon.runs.run_record import SCHEMA, RunRecord, RunState, checked_id
from compecon.runs.store import RunStore, run_id_of

if TYPE_CHECKING:
    from compecon.runs.executors.executor import Executor
    from compecon.runs.sweeps.points import Points

Point = Mapping[str, Json]


@final
@dataclass(frozen=True)
class Sweep:
    """A sweep as stored in its file."""

    sweep_id: str  # its name
    title: str  # a line for people
    recipe: str  # what its runs run
    params: Mapping[str, Json]  # settings that all share
    points: tuple[Point, ...]  # settings of each run on top of them; grows only while points are proposed
    parallel: int = 0  # how many may run at a time; 0 for as many as there are devices
    order: int = 0  # position in lists, independent of clocks
    created_at: float = 0.0  # seconds since 1970, for people
    executor: str = "local"  # runs it
    priority: str = ""  # CPU priority of its runs; "" for that of the home's settings
    # the search that proposes its points, if any: see `compecon.runs.sweeps.search`
    proposals: Mapping[str, Json] | None = None
    more: Mapping[str, Json] = field(default_factory=dict)  # entries of its file that only a newer compecon knows

    def __post_init__(self) -> None:
        if self.parallel < 0:
            raise RunError(f"parallel must be 0 (as many as there are devices) or more, got {self.parallel!r}.")

    @property
    def run_ids(self) -> tuple[str, ...]:
        """A run for each point."""
        return tuple(run_id_of(self.recipe, self.key_of(point)) for point in self.points)

    def key_of(self, point: Point) -> str:
        """The key of a point's run, the same each time."""
        return f"{self.sweep_id} {json.dumps(point, sort_keys=True)}"

    def as_json(self) -> dict[str, Any]:
        """Content of its file."""
        plain = {**written_parts(self, SCHEMA, later=("priority",)), "run_ids": list(self.run_ids)}
        return {name: value for name, value in plain.items() if name != "sweep_id"}

    @classmethod
    def read(cls, home: Home, sweep_id: str) -> Self:
        """A sweep from its file."""
        path = home.sweeps / f"{checked_id(sweep_id)}.json"
        if not os.path.lexists(path):
            raise RunError(f"There is no sweep {sweep_id} in {home.sweeps}.")
        with system_errors(f"{path} cannot be read"):
            value = read_json(path, SCHEMA)
        run_ids = value.pop("run_ids", None)
        sweep = read_parts(cls, {**value, "sweep_id": sweep_id}, str(path), SCHEMA)
        if list(sweep.run_ids) != run_ids:
            raise RunError(f"{path} is damaged: its runs do not match its points.")
        return replace(sweep, points=tuple(sweep.points))


def submit_sweep(  # noqa: PLR0913 - what a person may say of one
    executor: Executor,
    home: Home,
    points: Points,
    *,
    title: str = "",
    parallel: int = 0,
    priority: str = "",
    key: str = "",
) -> str:
    """Write a sweep and submit its runs; the same key gives the same sweep, and submits what is still missing.

    Args:
        executor: Runs it.
        home: Where.
        points: From `grid` or `listed`.
        title: A line for people.
        parallel: How many may run at a time; 0 for as many as there are devices.
        priority: CPU priority of its runs; "" for that of the home's settings.
        key: What makes two requests the same one.

    Returns:
        The sweep's name.
    """
    asked = Sweep("", title, points.recipe, points.params, points.points, parallel)
    asked = replace(asked, executor=executor.name, priority=priority)
    sweep = new_sweep(home, asked, key)
    submit_missing(executor, home, sweep)
    return sweep.sweep_id


def new_sweep(home: Home, sweep: Sweep, key: str = "") -> Sweep:
    """Write a sweep with a new name, order and time, or find the one written with the same key."""
    sweep_id = checked_id(f"sweep-{hashlib.sha256((key or uuid.uuid4().hex).encode()).hexdigest()[:12]}")
    path = home.made().sweeps / f"{sweep_id}.json"
    if not path.exists():
        order, now = home.next_number(), round(time.time(), 3)
        write_sweep(home, replace(sweep, sweep_id=sweep_id, order=order, created_at=now))
    return Sweep.read(home, sweep_id)


def write_sweep(home: Home, sweep: Sweep) -> None:
    """Write a sweep's file; one that would be too long to be read again is refused."""
    value = sweep.as_json()
    if len(json.dumps(value, indent=1)) > MAX_JSON_BYTES // 2:
        raise RunError(
            "The points have too many settings for the sweep's file. Give shared settings once, outside of the points."
        )
    with system_errors(f"The sweep cannot be stored in {home.sweeps}"):
        write_json(home.sweeps / f"{sweep.sweep_id}.json", value)


def submit_missing(executor: Executor, home: Home, sweep: Sweep) -> tuple[str, ...]:
    """Submit the runs of a sweep that are neither there nor in the trash; returns their names."""
    from compecon.runs.submission import new_spec  # noqa: PLC0415
    from compecon.runs.sweeps.points import named  # noqa: PLC0415 - not needed by a worker that waits

    made = []
    for point, run_id in zip(sweep.points, sweep.run_ids, strict=True):
        if (home.runs / run_id).exists() or any(home.trash.glob(f"{run_id}-*")):
            continue
        title = f"{sweep.title}: {named(point)}" if sweep.title else named(point)
        about = {"title": title[:200], "sweep": sweep.sweep_id, "priority": sweep.priority}
        spec = new_spec(sweep.recipe, {**sweep.params, **point}, **about)
        made.append(executor.submit(spec, sweep.key_of(point)))
    return tuple(made)


def stop_sweep(executor: Executor, home: Home, sweep_id: str) -> tuple[str, ...]:
    """Ask every unfinished run to save and stop, the last first, so that none takes the turn of one that ends."""
    store = _store(executor, home)
    open_runs = [run_id for run_id in runs_of(store, sweep_id) if not store.get(run_id).state.is_finished]
    for run_id in reversed(open_runs):
        executor.stop(run_id)
    return tuple(reversed(open_runs))


def resume_sweep(executor: Executor, home: Home, sweep_id: str) -> tuple[str, ...]:
    """Start what of a sweep was not submitted or ended early; returns the names."""
    sweep, store = Sweep.read(home, sweep_id), _store(executor, home)
    ended = [run_id for run_id in runs_of(store, sweep_id) if store.get(run_id).state.can_resume]
    for run_id in ended:
        executor.start(run_id)
    return (*ended, *submit_missing(executor, home, sweep))


def left_out(store: RunStore, sweep_id: str) -> tuple[RunRecord, ...]:
    """Runs of a sweep that `resume_sweep` cannot start yet because they are stopping, or not at all."""
    records = (store.get(run_id) for run_id in runs_of(store, sweep_id))
    return tuple(record for record in records if record.state in (RunState.STOPPING, RunState.NEWER))


def runs_of(store: RunStore, sweep_id: str) -> tuple[str, ...]:
    """The runs of a sweep that exist, in the order of its points."""
    sweep = Sweep.read(store.home, sweep_id)
    return tuple(run_id for run_id in sweep.run_ids if (store.home.runs / run_id).is_dir())


def _store(executor: Executor, home: Home) -> RunStore:
    return RunStore(home, {executor.name: executor.lives})
