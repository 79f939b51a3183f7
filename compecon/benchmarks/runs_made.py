"""Runs to measure with: made up, finished, and as many as are wanted."""

from __future__ import annotations

import json
from pathlib import Path

from compecon.files.durable import Json, write_json
from compecon.runs.folder import SPEC, STATUS
from compecon.runs.run_record import RunSpec, RunState, Status
from compecon.runs.store import RunStore

_STAGE = "incentive"


def make_runs(store: RunStore, number: int) -> str:
    """Write finished runs down, as their workers would have.

    Returns:
        The name of the newest one.
    """
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


def make_history(path: Path, n_lines: int) -> None:
    """Write metrics of so many steps."""
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(map(_line, range(1, n_lines + 1)))


def grow_history(path: Path, step: int) -> None:
    """Write another step."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(_line(step))


def _line(step: int) -> str:
    task = 1.0 / (1.0 + step % 977) + 0.3
    values = {"loss": task + 0.1, "task": task, "cost": 0.5, "price": 0.2, "share": 0.6, "seconds": 0.11 * step}
    return json.dumps({"stage": _STAGE, "step": step, "total": 1_000_000, **values}) + "\n"
