"""Runs to measure with: made up and finished, or real ones whose workers are gone at the end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from compecon.errors import CompeconError
from compecon.files.durable import Json, write_json
from compecon.runs.executors.local import LocalExecutor
from compecon.runs.folder import LOCK, SPEC, STATUS
from compecon.runs.home import Home
from compecon.runs.locks import is_held
from compecon.runs.run_record import RunSpec, RunState, Status
from compecon.runs.store import RunStore

_STAGE = "incentive"
_WITHIN_S = 120.0
_POLL_S = 0.002
Found = TypeVar("Found")


@contextmanager
def executor_in(root: Path) -> Iterator[LocalExecutor]:
    """An executor with a home of its own, whose workers end with the block."""
    executor = LocalExecutor(RunStore(Home(root).made()))
    try:
        yield executor
    finally:
        for record in executor.store.list():
            if not record.state.is_finished:
                executor.kill(record.run_id)
        wait_for(lambda: not any(is_held(record.folder / LOCK) for record in executor.store.list()))


def wait_for(condition: Callable[[], Found], seconds: float = _WITHIN_S) -> Found:
    """What a condition returns, as soon as that is true.

    Raises:
        CompeconError: If it takes too long.
    """
    until = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > until:
            raise CompeconError(f"a run did not do what was waited for within {seconds:.0f} s.")
        time.sleep(_POLL_S)
    return found


def make_runs(store: RunStore, number: int) -> str:
    """Write finished runs, as their workers would have; returns the name of the newest one."""
    for order in range(1, number + 1):
        folder = store.folder(f"train-{order:012x}")
        folder.mkdir()
        params: dict[str, Json] = {"task": "reviews", "base": "sentiment", "target": 0.3, "seed": order, "steps": 540}
        spec = RunSpec("train", params, title=f"Made-up run {order}", order=order, created_at=1.7e9 + order)
        ended = RunState.SUCCEEDED if order % 5 else RunState.FAILED
        status = Status(ended, "As it was made up.", 1, _STAGE, 540, 540, 61.5, 1, "nowhere", "cpu", {}, spec.digest)
        write_json(folder / SPEC, spec.as_json(), durable=False)
        write_json(folder / STATUS, status.as_json(), durable=False)
    return f"train-{number:012x}"


def add_history(path: Path, steps: range) -> None:
    """Append metrics of some steps."""
    with path.open("a", encoding="utf-8") as stream:
        stream.writelines(map(_line, steps))


def _line(step: int) -> str:
    task = 1.0 / (1.0 + step % 977) + 0.3
    values = {"loss": task + 0.1, "task": task, "cost": 0.5, "price": 0.2, "share": 0.6, "seconds": 0.11 * step}
    return json.dumps({"stage": _STAGE, "step": step, "total": 1_000_000, **values}) + "\n"
