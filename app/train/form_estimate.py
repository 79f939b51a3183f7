"""What the runs of the form are expected to take, and whether this machine has it."""

from __future__ import annotations

import json
import shutil
import socket
import time
from functools import lru_cache
from typing import Any

import psutil
import streamlit as st

from app.parts.widgets import escaped
from app.server.resources import runs
from compecon.errors import CompeconError
from compecon.runs.devices_here import polite_threads, queue_of
from compecon.runs.home import Home
from compecon.runs.jobs.expected import Expected, expected
from compecon.runs.jobs.job_registry import RECIPES
from compecon.runs.jobs.machine_speed import Speed, learnt_speed
from compecon.runs.run_record import RunRecord
from compecon.runs.sweeps.points import Points
from compecon.views.runs.expected_cost import Room, estimate_view

_MOST_ESTIMATED = 50  # runs of a sweep
_FRESH_S = 10  # files of a task may change while the form is open


def estimate(points: Points) -> None:
    """Show the time, memory and disk that the runs are expected to take; nothing if that is not known."""
    needs_torch = RECIPES[points.recipe].needs_torch
    queue = queue_of(str(points.params.get("device", "auto"))) if needs_torch else ""
    speed = learnt_speed(runs(), points.recipe, queue, socket.gethostname(), _macs)
    period = int(time.monotonic() // _FRESH_S)
    keys = [_key({**points.params, **point}) for point in points.points[:_MOST_ESTIMATED]]
    known = [one for key in keys if (one := _expected(points.recipe, key, speed, period)) is not None]
    if not known:
        return
    view = estimate_view(known, len(points), speed, _room())
    for warning in view.warnings:
        st.warning(escaped(warning))
    st.markdown("**Expected cost**")
    names, values = ([escaped(line[end]) for line in view.lines] for end in (0, 1))
    st.table({"what": names, "expected": values}, hide_index=True, hide_header=True)
    st.caption(escaped(view.description))


def _key(params: Any) -> str:
    return json.dumps(params, sort_keys=True)


@lru_cache(maxsize=512)
def _expected(recipe: str, params: str, speed: Speed, _period: int) -> Expected | None:
    try:
        return expected(recipe, RECIPES[recipe].checked(json.loads(params)), speed=speed)
    except (CompeconError, OSError, KeyError):
        return None


def _macs(record: RunRecord) -> float | None:
    found = _expected(record.spec.recipe, _key(record.spec.params), Speed(), 0)
    return found.macs if found else None


def _room() -> Room:
    root = Home.default().root
    place = next(path for path in (root, *root.parents) if path.exists())
    return Room(
        psutil.virtual_memory().available,
        shutil.disk_usage(place).free,
        load=psutil.getloadavg()[0],
        cores=psutil.cpu_count() or 1,
        threads=polite_threads(),
    )
