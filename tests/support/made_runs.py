"""Runs as their files would be after a worker was there, made without one."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from compecon.files.durable import write_json
from compecon.runs.folder import METRICS, STATUS
from compecon.runs.run_record import RunRecord, RunState, Status
from compecon.runs.store import RunStore
from compecon.runs.submission import new_spec

METRIC = {"name": "accuracy", "split": "test", "value": 0.81, "low": 0.79, "high": 0.83, "n": 872}


def made(
    store: RunStore,
    state: RunState = RunState.SUCCEEDED,
    *,
    recipe: str = "rehearsal",
    params: Mapping[str, Any] | None = None,
    lines: Iterable[Mapping[str, Any]] = (),
    title: str = "",
    sweep: str = "",
    **status: Any,
) -> RunRecord:
    """A run that nobody works on, in a state that its worker wrote last."""
    spec = new_spec(recipe, params or {}, title=title, sweep=sweep)
    run_id, lock = store.create(spec)
    assert lock is not None
    lock.release()
    digest = store.get(run_id).spec.digest
    said = replace(Status(state, spec_sha256=digest, pid=1, host="elsewhere"), **status)
    write_json(store.folder(run_id) / STATUS, said.as_json())
    (store.folder(run_id) / METRICS).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return store.get(run_id)


def steps(stage: str, *numbers: int, total: int = 100, pace: float = 0.1) -> list[dict[str, Any]]:
    """Lines of steps of a stage."""
    return [
        {"stage": stage, "step": n, "total": total, "loss": 1 / n, "task": 1 / n, "seconds": pace * n} for n in numbers
    ]


def attempt(number: int) -> dict[str, Any]:
    """The line that an attempt begins with."""
    return {"event": "attempt", "attempt": number, "at": 1.0}
