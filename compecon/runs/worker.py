"""The process of a run: `python -m compecon.runs.worker FOLDER`.

It holds the run's lock for life and loads what it needs once it has its turn; usually it has waited for that as a
`compecon.runs.waiter`. However it ends, the folder says so; after `kill -9` or a power cut the free lock does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

from compecon.errors import RunError, TrainingInterruptedError
from compecon.files.durable import Json, read_json
from compecon.runs.devices_here import visible_gpus
from compecon.runs.ending import outcome_of
from compecon.runs.folder import CANCEL, LOCK, LOG, SPEC
from compecon.runs.home import Home
from compecon.runs.locks import Lock
from compecon.runs.queue import Queue, limit_of
from compecon.runs.reporter import Reporter
from compecon.runs.run_record import NORMAL, SCHEMA, RunSpec, RunState, checked_id
from compecon.runs.turn import wait_for_turns
from compecon.runs.waiter import SLOTS

DESCRIPTOR = "COMPECON_LOCK"  # environment variable: the open descriptor of the run's lock
_NICE = 2  # 2 / 3 of the weight of others
_TAKEN = 75  # exit code: another worker has the run


def main(folder: Path) -> int:
    """Work on a run until it has ended; the exit code is 0 if it succeeded."""
    checked_id(folder.name)
    lock = _lock(folder)
    if lock is None:
        return _TAKEN
    reporter = Reporter(folder, lock)
    _listen(reporter)
    results: dict[str, Json] = {}
    try:
        with reporter.beating():
            results = _work(folder, reporter)
        state, reason = RunState.SUCCEEDED, str(results.get("sentence", ""))
    except BaseException as error:  # noqa: BLE001 - the boundary: the folder has to say whatever it was
        state, reason = _told(error, folder)
    try:
        reporter.end(state, reason, results)
    finally:
        lock.release()  # not when the last library is unloaded: it may be resumed at once
    return 0 if state is RunState.SUCCEEDED else 1


def _told(error: BaseException, folder: Path) -> tuple[RunState, str]:
    with suppress(OSError, ValueError, MemoryError):
        traceback.print_exception(error)
    traceback.clear_frames(error.__traceback__)  # they may hold the memory that the last status needs
    return outcome_of(error, folder, wanted=(folder / CANCEL).exists())


def _work(folder: Path, reporter: Reporter) -> dict[str, Json]:
    spec = RunSpec.read(read_json(folder / SPEC, SCHEMA))
    if reporter.status.spec_sha256 not in ("", spec.digest):
        raise RunError("spec.json was changed after the run was submitted. Duplicate the run to change its settings.")
    if spec.executor != "local":
        _write_into(folder / LOG)
    if spec.priority != NORMAL:
        _step_back()
    reporter.set(RunState.QUEUED, reporter.status.reason or "Waiting for its turn.", spec_sha256=spec.digest)
    slots = _turns(Home(folder.parent.parent), folder.name, spec, reporter)
    if reporter.is_unwanted:
        raise TrainingInterruptedError("Stopped before it began")
    device = _device(spec, slots)
    reporter.started(device)
    os.environ.setdefault("OMP_NUM_THREADS", str(spec.threads))
    from compecon.runs.work import work  # noqa: PLC0415 - what a worker loads only once it may

    return work(folder, spec, reporter)


def _turns(home: Home, run_id: str, spec: RunSpec, reporter: Reporter) -> list[tuple[int, int]]:
    """Wait first for a slot of the sweep, if it is limited, then for one of the device."""

    def tell(text: str) -> None:
        reporter.set(RunState.QUEUED, text)

    if held := os.environ.pop(SLOTS, ""):  # it was the waiter, see `compecon.runs.waiter`
        slots = json.loads(held)
    else:
        queues = [queue.plan for queue in queues_of(home, spec)]
        slots = wait_for_turns(queues, str(home.runs), (run_id, spec.order), lambda: reporter.is_unwanted, tell)
    if slots is None:
        raise TrainingInterruptedError("Stopped while it waited")
    for _, descriptor in slots:
        os.set_inheritable(descriptor, False)
    return list(slots)


def queues_of(home: Home, spec: RunSpec) -> list[Queue]:
    """The queues that a run waits in, in this order. A cluster assigns its devices itself."""
    limit = limit_of(home, spec.sweep)
    own = [Queue(home, spec.sweep, limit)] if limit else []
    return [*own, *([Queue.of_device(home, spec.queue)] if spec.queue and spec.executor == "local" else [])]


def _device(spec: RunSpec, slots: list[tuple[int, int]]) -> str:
    if spec.queue != "gpu" or spec.executor != "local" or not slots:
        return spec.queue or "none"
    gpus = visible_gpus()
    name = gpus[slots[-1][0] % len(gpus)] if gpus else ""
    os.environ["CUDA_VISIBLE_DEVICES"] = name
    return f"gpu {name}"


def _lock(folder: Path) -> Lock | None:
    given = os.environ.pop(DESCRIPTOR, "")
    if given.isdigit():
        with suppress(OSError):
            return Lock.inherited(folder / LOCK, int(given))
    return Lock.taken(folder / LOCK, patience_s=2.0)


def _write_into(log: Path) -> None:
    """Redirect output to the run's log; a cluster keeps it elsewhere, and not for long."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    os.close(descriptor)


def _listen(reporter: Reporter) -> None:
    """The first signal asks to stop after the step, the second one stops at once."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if reporter.was_signalled:
            os._exit(130)  # the lock is freed, and what is on disk is whole
        reporter.was_signalled = True

    handler: Callable[[int, FrameType | None], None] = on_signal
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)


def _step_back() -> None:
    """Lower the priority a little: beside four busy programs on two cores, a run still gets a quarter of a core.

    Linux weighs sessions against each other by a value of their own where it groups processes, and else processes.
    """
    with suppress(OSError):
        if Path("/proc/sys/kernel/sched_autogroup_enabled").read_text(encoding="ascii").strip() == "1":
            Path("/proc/self/autogroup").write_text(str(_NICE), encoding="ascii")
            return
    with suppress(OSError, AttributeError):
        os.nice(_NICE)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute()))
