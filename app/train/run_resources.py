"""What the whole server shares for those who look at runs: executors, metrics, and how quick the machine is.

Apart from `app.server.resources`, so that the first picture of the page that opens first does not wait for it.
"""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from app.server.resources import run_store, runs
from app.train.shared_histories import Histories
from compecon.errors import CompeconError
from compecon.runs.devices_here import polite_threads
from compecon.runs.executors.choice import executor_for, executor_of
from compecon.runs.home import Home
from compecon.runs.jobs.expected import Expected, expected
from compecon.runs.jobs.job_registry import RECIPES
from compecon.runs.jobs.machine_speed import Speed, learnt_speed
from compecon.runs.run_record import RunRecord, RunState
from compecon.views.runs.expected_cost import Room
from compecon.views.runs.time_left import step_durations

if TYPE_CHECKING:
    from compecon.runs.executors.executor import Executor
    from compecon.views.runs.curves import Courses

_FRESH_S = 10  # files of a task may change while the form is open


def executor() -> Executor:
    """What starts runs from the page: this machine."""
    return executor_for("local", run_store())


def executor_of_run(record: RunRecord) -> Executor:
    """What started a run, and alone may stop it or start it again.

    Raises:
        RunError: If it is not known how to reach it.
    """
    return executor() if record.spec.executor == "local" else executor_of(record, run_store())


@cache
def _histories() -> Histories:
    return Histories()


def courses_of(record: RunRecord) -> AbstractContextManager[Courses]:
    """A run's metrics, read on to their end; nobody else reads them within the context."""
    return _histories().courses(record.folder)


def durations_of(records: Sequence[RunRecord]) -> Mapping[str, tuple[float, ...]]:
    """Seconds of the last steps of those runs that are at work, by their names."""
    found = {}
    for record in records:
        if record.state is RunState.RUNNING:
            with courses_of(record) as courses:
                found[record.run_id] = step_durations(courses.history.steps.get(record.status.stage, ()))
    return found


def expected_of(recipe: str, params: Mapping[str, object], speed: Speed) -> Expected | None:
    """What a run will take; None if that cannot be told.

    Args:
        recipe: Name of a recipe.
        params: Values that are not its defaults; good ones.
        speed: How quick this machine is.
    """
    return _expected(recipe, json.dumps(params, sort_keys=True), speed, int(time.monotonic() // _FRESH_S))


@lru_cache(maxsize=512)
def _expected(recipe: str, params: str, speed: Speed, _period: int) -> Expected | None:
    try:
        return expected(recipe, RECIPES[recipe].checked(json.loads(params)), speed=speed)
    except (CompeconError, OSError, KeyError):
        return None


def speed_of(recipe: str, queue: str) -> Speed:
    """How quick this machine is at a kind of run with a kind of device, learnt from the runs that finished here."""
    return learnt_speed(runs(), recipe, queue, socket.gethostname(), _macs_of)


def _macs_of(record: RunRecord) -> float | None:
    return _macs(record.spec.recipe, json.dumps(record.spec.params, sort_keys=True))


@lru_cache(maxsize=512)
def _macs(recipe: str, params: str) -> float | None:
    found = _expected(recipe, params, Speed(), 0)
    return found.macs if found else None


def room() -> Room:
    """What is free for runs."""
    import psutil  # noqa: PLC0415 - only for those who open the form

    root = Home.default().root
    place = next(path for path in (root, *root.parents) if path.exists())
    return Room(
        int(psutil.virtual_memory().available),
        shutil.disk_usage(place).free,
        load=psutil.getloadavg()[0],
        cores=psutil.cpu_count() or 1,
        threads=polite_threads(),
    )
