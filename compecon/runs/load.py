"""How busy a machine is: the processor time that a worker gets, and what others use."""

from __future__ import annotations

import time
from typing import final

import psutil

from compecon.files.durable import Json

_IDLE = ("idle", "iowait", "guest", "guest_nice")  # guests are counted as users too


@final
class LoadMeter:
    """Measures between readings, on all cores."""

    def __init__(self) -> None:
        self._at, self._own, self._all = time.monotonic(), time.process_time(), _busy_seconds()

    def read(self) -> dict[str, Json]:
        """Cores used since the last reading, and how many there are: "own", "others" and "cores"."""
        at, own, everyone = time.monotonic(), time.process_time(), _busy_seconds()
        passed = max(1e-3, at - self._at)
        mine = (own - self._own) / passed
        others = max(0.0, (everyone - self._all) / passed - mine)
        self._at, self._own, self._all = at, own, everyone
        return {"own": round(mine, 2), "others": round(others, 2), "cores": psutil.cpu_count() or 1}


def _busy_seconds() -> float:
    spent = psutil.cpu_times()._asdict()
    return float(sum(seconds for name, seconds in spent.items() if name not in _IDLE))
