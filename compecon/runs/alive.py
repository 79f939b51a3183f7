"""Whether a process that lives stands still. Only for the eye: nothing is decided by it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from compecon.runs.run_record import Status

_STOPPED = ("T", "t")


def is_stalled(status: Status) -> bool:
    """Whether the worker of a run whose lock is held was halted on this machine, as by `SIGSTOP`."""
    if not status.pid or status.host != socket.gethostname():
        return False
    if Path("/proc/self/stat").exists():
        try:
            raw = Path(f"/proc/{status.pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
        return raw[raw.rfind(")") + 2 : raw.rfind(")") + 3] in _STOPPED
    return _asked(status.pid)


def _asked(pid: int) -> bool:
    if os.name == "nt":
        return False
    import psutil  # noqa: PLC0415 - only where there is no /proc

    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False
