"""Homes with workers of their own, and waiting for what other processes do."""

import os
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil

from compecon.runs.home import Home
from compecon.runs.local import LocalExecutor
from compecon.runs.record import RunRecord, RunState
from compecon.runs.store import RunStore

Truth = TypeVar("Truth")
_TOY = """
import sys, types

def work(folder, spec, reporter):
{body}

module = types.ModuleType("compecon.runs.work")
module.work = work
sys.modules[module.__name__] = module
"""


def until(condition: Callable[[], Truth], seconds: float = 30.0) -> Truth:
    """What a condition gives as soon as that is true; fails if it takes too long."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain"
        time.sleep(0.005)
    return found


def ended(store: RunStore, run_id: str, seconds: float = 60.0) -> RunRecord:
    """A run as soon as it has ended."""

    def look() -> RunRecord | None:
        record = store.get(run_id)
        return record if record.state.is_finished else None

    return until(look, seconds)


def running(store: RunStore, run_id: str, step: int = 1) -> RunRecord:
    """A run as soon as it has done so many steps."""

    def look() -> RunRecord | None:
        record = store.get(run_id)
        assert not record.state.is_finished, f"{record.state}: {record.reason}"
        return record if record.state is RunState.RUNNING and record.status.step >= step else None

    return until(look)


def toy(folder: Path, body: str) -> str:
    """What `PYTHONPATH` has to be for workers that run this body of `work(folder, spec, reporter)`."""
    folder.mkdir(parents=True, exist_ok=True)
    code = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    (folder / "sitecustomize.py").write_text(_TOY.format(body=code), encoding="utf-8")
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))


@contextmanager
def executor_of(root: Path) -> Iterator[LocalExecutor]:
    """An executor with a home of its own; no process that has to do with it is left."""
    try:
        yield LocalExecutor(RunStore(Home(root)))
    finally:
        kill_workers(root)


def kill_workers(root: Path) -> None:
    """End every other process whose command line names a folder."""
    for process in workers(root):
        try:
            os.killpg(process.pid, signal.SIGKILL) if os.getpgid(process.pid) == process.pid else process.kill()
            process.wait(10)
        except (psutil.Error, ProcessLookupError):
            continue


def workers(root: Path) -> list[psutil.Process]:
    """Processes whose command line names a folder."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        if process.pid != os.getpid() and any(str(root) in part for part in process.info["cmdline"] or ()):
            found.append(process)
    return found


def python(code: str) -> list[str]:
    """A command that runs code."""
    return [sys.executable, "-c", textwrap.dedent(code)]
