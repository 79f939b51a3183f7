"""A rehearsal in the background, stopped and resumed, to test whether this machine preserves a training."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from compecon.errors import RunError
from compecon.runs.executors.executor import Executor
from compecon.runs.run_record import RunRecord, RunState
from compecon.runs.store import RunStore
from compecon.runs.submission import new_spec

_PARAMS = {"steps": 40, "step_ms": 25.0, "save_every": 10, "size_kb": 64}
_STOP_AT = 15
Found = TypeVar("Found")


def rehearse(executor: Executor, store: RunStore, patience_s: float = 120.0) -> str:
    """Submit a rehearsal, stop it halfway, resume it, compare it with an undisturbed one, and say how it went.

    Args:
        executor: Runs it.
        store: Where; the run is deleted if all went well.
        patience_s: How long it may make no progress.

    Raises:
        RunError: If it did not go as it should; the run is then kept.
    """
    from compecon.runs.jobs.rehearsal import undisturbed  # noqa: PLC0415 - used by few

    began = time.monotonic()
    run_id = executor.submit(new_spec("rehearsal", _PARAMS, title="Rehearsal of this machine"))
    _until(store, run_id, lambda record: record.status.step >= _STOP_AT, "its first steps", patience_s)
    alive = time.monotonic() - began
    executor.stop(run_id)
    stopped = _until(store, run_id, lambda record: record.state.is_finished, "its stop", patience_s)
    if stopped.state is not RunState.CANCELLED:
        raise RunError(f"The rehearsal {run_id} should have stopped, and is {stopped.state}: {stopped.reason}")
    executor.start(run_id)
    ended = _until(store, run_id, lambda record: record.state.is_finished, "its end", patience_s)
    if ended.state is not RunState.SUCCEEDED:
        raise RunError(f"The rehearsal {run_id} should have succeeded, and is {ended.state}: {ended.reason}")
    if ended.status.results.get("chain") != undisturbed(ended.spec.params):
        raise RunError(f"The rehearsal {run_id} did not end as an uninterrupted one does: a step was lost or repeated.")
    store.delete(run_id)
    return (
        f"A rehearsal was stopped at step {stopped.status.step} and resumed, and ended as an uninterrupted one does: "
        f"{_STOP_AT} steps after {alive:.1f} s, all {_PARAMS['steps']} after {time.monotonic() - began:.1f} s."
    )


def _until(
    store: RunStore, run_id: str, is_there: Callable[[RunRecord], bool], what: str, patience_s: float
) -> RunRecord:
    until, seen = time.monotonic() + patience_s, None
    while not is_there(record := store.get(run_id)):
        if record.state.is_finished:
            raise RunError(f"The rehearsal {run_id} ended early: {record.reason}")
        here = (record.state, record.status.stage, record.status.step)
        if here != seen:  # a machine that is busy is slow, and not broken
            until, seen = time.monotonic() + patience_s, here
        if time.monotonic() > until:
            raise RunError(
                f"The rehearsal {run_id} waited {patience_s:.0f} s for {what} without progress: the machine is too "
                f"busy, or its worker hangs. See `compecon runs show {run_id}`."
            )
        time.sleep(0.05)
    return record
