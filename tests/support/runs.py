"""Homes with workers of their own, and waiting for what other processes do."""

import os
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from compecon.runs.executors.local import LocalExecutor
from compecon.runs.home import Home
from compecon.runs.run_record import RunRecord, RunState
from compecon.runs.store import RunStore

Truth = TypeVar("Truth")
_NAMESAKE = "sitecustomize.py"  # Python runs it in every process that finds it
_SWIFT = """
import os, pathlib

def _refused(*_args, **_more):
    raise OSError("a worker of a test does not step back: other work on this machine would starve it")

os.nice = _refused
_write_text = pathlib.Path.write_text
pathlib.Path.write_text = lambda self, *args, **more: (
    _refused() if str(self) == "/proc/self/autogroup" else _write_text(self, *args, **more)
)
"""
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


def started_with(folder: Path, code: str) -> str:
    """What `PYTHONPATH` has to be for Python processes that run this code before anything else."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _NAMESAKE).write_text(f"{_SWIFT}\n{textwrap.dedent(code)}", encoding="utf-8")
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))


def toy(folder: Path, body: str) -> str:
    """What `PYTHONPATH` has to be for workers that run this body of `work(folder, spec, reporter)`."""
    return started_with(folder, _TOY.format(body=textwrap.indent(textwrap.dedent(body).strip(), "    ")))


@contextmanager
def executor_of(root: Path) -> Iterator[LocalExecutor]:
    """An executor with a home of its own; no process that has to do with it is left."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", started_with(root.with_name(f"{root.name}-swift"), ""))
        try:
            yield LocalExecutor(RunStore(Home(root)))
        finally:
            kill_workers(root)


def kill_workers(root: Path) -> None:
    """End every other process whose command line names a folder, all of them before any is waited for."""

    def ended() -> bool:
        found = workers(root) or workers(root)  # one that becomes a worker has no command line for a moment
        for process in found:
            with suppress(psutil.Error, ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL) if os.getpgid(process.pid) == process.pid else process.kill()
        return not found

    until(ended)


def workers(root: Path) -> list[psutil.Process]:
    """Processes whose command line names a folder."""
    others = (each for each in psutil.process_iter(["pid", "cmdline"]) if each.pid != os.getpid())
    return [each for each in others if any(str(root) in part for part in each.info["cmdline"] or ())]


def python(code: str) -> list[str]:
    """A command that runs code."""
    return [sys.executable, "-c", textwrap.dedent(code)]
