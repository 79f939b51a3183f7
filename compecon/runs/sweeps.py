"""Runs that belong together: how many of them may run at a time."""

from __future__ import annotations

from compecon.errors import RunError
from compecon.runs.files import read_json
from compecon.runs.home import Home
from compecon.runs.record import checked_id


def limit_of(home: Home, sweep: str) -> int:
    """How many runs of a sweep may run at a time; 0 for as many as there are devices.

    Args:
        home: The home.
        sweep: The sweep's name, or "".
    """
    if not sweep:
        return 0
    try:
        limit = read_json(home.sweeps / f"{checked_id(sweep)}.json").get("parallel", 0)
    except (FileNotFoundError, RunError):
        return 0
    return limit if isinstance(limit, int) and limit > 0 else 0
