"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

_PACKAGES = ("compecon", "torch", "transformers", "streamlit", "playwright")
_THREADS = ("OMP_NUM_THREADS", "COMPECON_THREADS")


def machine_facts() -> dict[str, str]:
    """Name and value of everything that moves a figure and stays the same during a run."""
    memory = psutil.virtual_memory().total / 2**30
    return {
        "cpu": f"{_cpu_model()}, {os.cpu_count()} cores, {memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: found for name in _PACKAGES if (found := _version(name))},
        "threads": ", ".join(f"{name}={os.environ.get(name, 'not set')}" for name in _THREADS)
        + "; torch in this process: 1",
    }


def facts_text(facts: Mapping[str, str]) -> str:
    """One fact a line."""
    width = max(len(name) for name in facts)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in facts.items())


def load_average() -> float:
    """Mean number of runnable processes over the last minute; NaN where the system does not count them."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
