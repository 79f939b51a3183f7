"""A sweep whose points are proposed from the results of earlier ones.

Nothing of the search is stored but the sweep's runs; each proposal replays the search from them. So it can continue
after any interruption, and no database can disagree with the runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, final

from compecon.errors import RunError
from compecon.runs.home import Home
from compecon.runs.locks import Lock
from compecon.runs.run_record import checked_id
from compecon.runs.store import RunStore
from compecon.runs.sweeps.points import MAX_RUNS, Points, listed
from compecon.runs.sweeps.proposals import Axis, Outcome, propose, require_optuna
from compecon.runs.sweeps.sweep import Point, Sweep, new_sweep, submit_missing, write_sweep
from compecon.runs.sweeps.sweep_table import SweepRow, sweep_record

if TYPE_CHECKING:
    from compecon.runs.executors.executor import Executor

_TRIES = 20


@final
@dataclass(frozen=True)
class Search:
    """What is searched."""

    axes: tuple[Axis, ...]  # settings that vary
    n_runs: int  # how many points in all, in [1, 500]
    seed: int = 0  # the same seed and results give the same points
    parallel: int = 1  # how many runs may be open at a time, at least 1

    def __post_init__(self) -> None:
        if not self.axes:
            raise RunError("A search needs a setting that varies, such as target=0.3:0.8.")
        if not (0 < self.n_runs <= MAX_RUNS and self.parallel > 0):
            raise RunError(
                f"A search has 1 to {MAX_RUNS} runs, at least one at a time, got {self.n_runs} and {self.parallel}."
            )
        names = [axis.name for axis in self.axes]
        if twice := [name for name in names if names.count(name) > 1]:
            raise RunError(f"{twice[0]} is given twice. Leave one of them out.")

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """A search from a sweep's file."""
        try:
            axes = tuple(Axis(**{**each, "choices": tuple(each["choices"])}) for each in told["axes"])
            return cls(axes, int(told["n_runs"]), int(told["seed"]))
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"The sweep's search is damaged: {error}.") from error


def begin_search(  # noqa: PLR0913 - what a person may say of one
    executor: Executor,
    home: Home,
    shared: Points,
    search: Search,
    *,
    title: str = "",
    priority: str = "",
    key: str = "",
) -> Sweep:
    """Write a sweep whose points are proposed; `advance` submits them. The points of `shared` are ignored."""
    require_optuna()
    listed(shared.recipe, shared.params, [{axis.name: axis.ends[0] for axis in search.axes}])
    for axis in search.axes:
        for end in axis.ends:
            listed(
                shared.recipe, shared.params, [{**{each.name: each.ends[0] for each in search.axes}, axis.name: end}]
            )
    told = {"n_runs": search.n_runs, "seed": search.seed, "axes": [vars(axis) for axis in search.axes]}
    plain = json.loads(json.dumps(told))
    asked = Sweep("", title, shared.recipe, shared.params, (), search.parallel, executor=executor.name, proposals=plain)
    return new_sweep(home, replace(asked, priority=priority), key)


def advance(executor: Executor, home: Home, sweep_id: str) -> int:
    """Submit as many proposed points as there is room for; returns how many runs have yet to end or be submitted."""
    lock = Lock.taken(home.sweeps / f"{checked_id(sweep_id)}.lock", patience_s=5.0)
    if lock is None:
        raise RunError(f"Another process is proposing points of {sweep_id}. Try again in a moment.")
    with lock:
        return _advanced(executor, home, sweep_id)


def _advanced(executor: Executor, home: Home, sweep_id: str) -> int:
    submit_missing(executor, home, Sweep.read(home, sweep_id))  # what an interruption left out
    store = RunStore(home, {executor.name: executor.lives})
    record = sweep_record(store, sweep_id)
    sweep, rows = record.sweep, list(record.rows)
    if sweep.proposals is None:
        raise RunError(f"{sweep_id} has fixed points; none are proposed.")
    search = Search.read(sweep.proposals)
    n_open = sum(row.state is not None and not row.state.is_finished for row in rows)
    while len(rows) < search.n_runs and n_open < sweep.parallel:
        point = _new_point(search, rows)
        rows.append(SweepRow("", point, None))
        sweep = replace(sweep, points=(*sweep.points, point))
        write_sweep(home, sweep)
        submit_missing(executor, home, sweep)
        n_open += 1
    return search.n_runs - len(rows) + n_open


def _new_point(search: Search, rows: Sequence[SweepRow]) -> Point:
    """A point that was not proposed before."""
    ended = [row for row in rows if row.state is not None and row.state.is_finished]
    others = [row for row in rows if row not in ended]
    before = [(row.point, outcome_of(row)) for row in (*ended, *others)]
    known = [row.point for row in rows]
    for n in range(_TRIES):
        point = propose(search.axes, before, len(others), seed=search.seed + n * MAX_RUNS)
        if point not in known:
            return point
    raise RunError("All points have been tried. Widen an axis.")


def outcome_of(row: SweepRow) -> Outcome | None:
    """Quality and MACs of a run; None if it has none."""
    value = row.metric.get("value") if row.metric else None
    if not isinstance(value, int | float) or row.macs is None:
        return None
    higher = row.metric is None or row.metric.get("higher_is_better", True)
    return (float(value) if higher else -float(value)), float(row.macs)
