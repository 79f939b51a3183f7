"""Devices of this machine, found without torch."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

_VISIBLE = "CUDA_VISIBLE_DEVICES"


@cache
def visible_gpus() -> tuple[str, ...]:
    """Names of the NVIDIA GPUs that may be used, as `CUDA_VISIBLE_DEVICES` takes them."""
    if _VISIBLE in os.environ:
        return tuple(name for name in os.environ[_VISIBLE].split(",") if name.strip() not in ("", "-1"))
    try:
        found = sorted(Path("/proc/driver/nvidia/gpus").iterdir())
    except OSError:
        return ()
    return tuple(str(number) for number in range(len(found)))


def queue_of(device: str) -> str:
    """The queue that a `device` setting waits in."""
    return "gpu" if device != "cpu" and visible_gpus() else "cpu"


def polite_threads() -> int:
    """Threads of a worker on the CPU: half of the cores, so that the dashboard keeps the other half."""
    return max(1, (os.cpu_count() or 2) // 2)
