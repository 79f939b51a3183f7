"""What the whole server shares: read once, never changed by a page. Used by pages and by the canvas' routes alike.

Plain caches, not Streamlit's: routes answer outside of any script run.
"""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from app.runs import Histories, Listing
from compecon.checkpoints.catalog import CheckpointEntry, list_checkpoints
from compecon.errors import CompeconError
from compecon.paths import assets
from compecon.recipes.expected import Expected, expected
from compecon.recipes.registry import RECIPES
from compecon.recipes.speed import Speed, calibrated
from compecon.runs.executors import executor_for, executor_of, open_store
from compecon.runs.home import Home
from compecon.runs.record import RunRecord, RunState
from compecon.views.examples import Example, examples_for
from compecon.views.run_expected import Room, learnt_pairs
from compecon.views.run_left import step_durations
from compecon.views.traces import read_index, read_trace

if TYPE_CHECKING:
    from compecon.runs.executor import Executor
    from compecon.runs.store import RunStore
    from compecon.views.run_curves import Courses

_FRESH_S = 10  # a folder of checkpoints may gain one while the server runs


def checkpoints() -> dict[str, CheckpointEntry]:
    """Every checkpoint that can be chosen: bundled, made by runs, in the user's folders, in the Hub's cache.

    Returns:
        What ``load_checkpoint`` takes (a bundled name or a folder) to what is known of it.
    """
    return _checkpoints(int(time.monotonic() // _FRESH_S), str(Home.default().root))


def forget_checkpoints() -> None:
    """Look at the disk again at the next question."""
    _checkpoints.cache_clear()


@lru_cache(maxsize=1)
def _checkpoints(_period: int, _home: str) -> dict[str, CheckpointEntry]:
    made = {str(folder): title for folder, title in _made_by_runs()}
    found = list_checkpoints([Path(folder).parent for folder in made])
    named = {e.name if e.origin == "bundled" else str(e.path): e for e in found}
    return {name: replace(e, title=made[name]) if name in made else e for name, e in named.items()}


def _made_by_runs() -> Sequence[tuple[Path, str]]:
    """Checkpoints that came of runs, newest first, with the runs' titles."""
    done = ((record.checkpoint, record.title) for record in runs() if record.state is RunState.SUCCEEDED)
    return [(folder, title) for folder, title in done if folder is not None]


def bundled_examples(checkpoint: str) -> tuple[Example, ...]:
    """Good texts for a checkpoint."""
    entry = checkpoints().get(checkpoint)
    return _examples(checkpoint, entry.task if entry else "")


@cache
def _examples(checkpoint: str, task: str) -> tuple[Example, ...]:
    return examples_for(checkpoint, task)


@cache
def trace_names() -> frozenset[str]:
    """Names of the recorded streams."""
    return frozenset(read_index())


@lru_cache(maxsize=32)
def recorded_trace(name: str) -> bytes | None:
    """A recorded stream."""
    return read_trace(name)


@cache
def canvas_part(file: str) -> str:
    """Markup or style of the live canvas."""
    return (assets() / "canvas" / file).read_text(encoding="utf-8")


def run_store() -> RunStore:
    """The runs of this user."""
    return _store(Home.default())


@lru_cache(maxsize=4)
def _store(home: Home) -> RunStore:
    return open_store(home)


def runs() -> tuple[RunRecord, ...]:
    """Every run as it is now, newest first."""
    return _listing(Home.default()).records()


@lru_cache(maxsize=4)
def _listing(home: Home) -> Listing:
    return Listing(_store(home))


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


def speed_of(queue: str) -> Speed:
    """How quick this machine is with a kind of device, learnt from the runs that finished here."""
    return calibrated(learnt_pairs(runs(), queue, socket.gethostname(), _macs_of))


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
    return Room(int(psutil.virtual_memory().available), shutil.disk_usage(place).free)
