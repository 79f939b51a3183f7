"""Runs on this machine: one detached process each, which outlives the page, the dashboard and the terminal."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final

from compecon import children
from compecon.errors import RunError
from compecon.files.durable import read_json, write_json
from compecon.runs import waiter
from compecon.runs.executors.executor import THREAD_VARIABLES, Executor, require_unfinished
from compecon.runs.folder import CANCEL, LOCK, LOG, SPEC, STATUS, keep_ballast
from compecon.runs.home import system_errors
from compecon.runs.locks import CAN_HAND_OVER, Lock, is_held
from compecon.runs.queue import Queue
from compecon.runs.run_record import SCHEMA, RunRecord, RunSpec
from compecon.runs.worker import DESCRIPTOR, queues_of

_UNTIL_IT_SPEAKS_S = 2.0


@final
class LocalExecutor(Executor):
    """Detached workers on this machine."""

    name = "local"

    def submit(self, spec: RunSpec, key: str = "") -> str:
        """Create a run and start its worker; the run of a failed start stays and can be started again."""
        run_id, lock = self.store.create(replace(spec, executor=self.name), key)
        if lock is not None:
            self._spawn(run_id, lock)
        return run_id

    def start(self, run_id: str) -> None:
        """Start the worker of an unfinished run that has none. Does nothing if one is alive."""
        record = self.store.get(run_id)
        if record.spec.executor != self.name:
            raise RunError(f"{run_id} was submitted to {record.spec.executor}, and can only be started there.")
        require_unfinished(record)
        with system_errors(f"{run_id} cannot be started"):
            lock = Lock.taken(record.folder / LOCK)
            if lock is None:
                return
            try:
                self._prepare(run_id)
            except BaseException:
                lock.release()
                raise
        self._spawn(run_id, lock)

    def _prepare(self, run_id: str) -> None:
        """Reset the files of a run whose lock is held to those of one that waits to start."""
        record = self.store.get(run_id)
        require_unfinished(record)  # another process may have been faster
        former = record.status
        RunSpec.read(read_json(record.folder / SPEC, SCHEMA))
        (record.folder / CANCEL).unlink(missing_ok=True)
        keep_ballast(record.folder)
        write_json(record.folder / STATUS, former.again(former.attempt + bool(former.pid)).as_json())

    def kill(self, run_id: str) -> None:
        """End a run's worker at once; its last complete checkpoint stays."""
        if self.store.get(run_id).state.is_finished:
            return
        self.store.ask_to_stop(run_id)
        until = time.monotonic() + _UNTIL_IT_SPEAKS_S
        while is_held(self.store.folder(run_id) / LOCK):
            status = self.store.get(run_id).status
            if status.pid and status.host != socket.gethostname():
                raise RunError(f"{run_id} runs on {status.host}. Stop it there.")
            if status.pid and _ended(status.pid, run_id):
                return
            if time.monotonic() > until:
                raise RunError(f"The worker of {run_id} has not reported its process yet. Try again in a moment.")
            time.sleep(0.02)

    def lives(self, record: RunRecord) -> bool | None:
        """Whether a run's worker is alive."""
        return is_held(record.folder / LOCK)

    def _spawn(self, run_id: str, lock: Lock) -> None:
        """Start a worker and hand the run's lock to it; if that fails, the lock is free again."""
        folder = self.store.folder(run_id)
        try:
            with system_errors(f"No worker could be started for {run_id}"):
                spec = RunSpec.read(read_json(folder / SPEC, SCHEMA))
                child = _worker(folder, spec, queues_of(self.store.home, spec), lock)
        finally:
            lock.handed_over() if CAN_HAND_OVER else lock.release()
        threading.Thread(target=child.wait, daemon=True, name=f"reaper of {run_id}").start()  # or it stays a zombie


def _worker(folder: Path, spec: RunSpec, queues: Sequence[Queue], lock: Lock) -> subprocess.Popen[bytes]:
    for queue in queues[:1]:
        queue.join(folder.name, spec.order)
    variables = children.environment({**dict.fromkeys(THREAD_VARIABLES, str(spec.threads)), "PYTHONUNBUFFERED": "1"})
    options: dict[str, Any] = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    if CAN_HAND_OVER:
        variables[DESCRIPTOR] = str(lock.descriptor)
        options = {"start_new_session": True, "pass_fds": (lock.descriptor,)}
    with open(folder / LOG, "ab", opener=_without_waiting) as log:
        options |= {"folder": folder.parent.parent, "variables": variables, "stdout": log, "stderr": subprocess.STDOUT}
        if not (queues and CAN_HAND_OVER):
            return children.start("-m", "compecon.runs.worker", str(folder), **options)
        worker = children.command("-m", "compecon.runs.worker", str(folder))
        root, plan = str(Path(waiter.__file__).parents[2]), _plan(spec, queues, lock)
        return children.start("-I", "-S", waiter.__file__, root, str(folder), plan, *worker, **options)


def _without_waiting(path: str, flags: int) -> int:
    """A named pipe in place of the log must not block the submitter."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o644)


def _plan(spec: RunSpec, queues: Sequence[Queue], lock: Lock) -> str:
    """What a lightweight process needs to wait for its turn and then become the worker."""
    return json.dumps({"lock": lock.descriptor, "order": spec.order, "queues": [queue.plan for queue in queues]})


def _ended(pid: int, run_id: str) -> bool:
    """Kill a process and its session, if it is the worker of that run: a file can name any process."""
    import psutil  # noqa: PLC0415 - only where a process is ended

    try:
        if run_id not in " ".join(psutil.Process(pid).cmdline()):
            return False
        if os.name != "nt" and os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        else:
            psutil.Process(pid).kill()
    except psutil.AccessDenied as error:
        raise RunError(f"{run_id} runs as another user, process {pid}. End it there.") from error
    except (psutil.NoSuchProcess, ProcessLookupError, ValueError):
        return False
    return True
