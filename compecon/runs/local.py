"""Runs on this machine: one detached process each, which outlives the page, the dashboard and the terminal."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any, final

from compecon.errors import RunError
from compecon.runs.files import read_json, write_json
from compecon.runs.locks import CAN_HAND_OVER, Lock, is_held
from compecon.runs.record import RunRecord, RunSpec, RunState, Status
from compecon.runs.store import BALLAST, CANCEL, LOCK, LOG, SPEC, STATUS, RunStore
from compecon.runs.worker import DESCRIPTOR, queues_of

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_UNTIL_IT_SPEAKS_S = 2.0


@final
class LocalExecutor:
    """Detached workers.

    Args:
        store: Where the runs are.
    """

    name = "local"

    def __init__(self, store: RunStore) -> None:
        self.store = store

    def problems(self) -> tuple[str, ...]:
        """Why nothing could be run now; empty if it could."""
        try:
            self.store.home.made()
        except RunError as error:
            return (str(error),)
        return ()

    def submit(self, spec: RunSpec, key: str = "") -> str:
        """Make a run and start its worker; the same key gives the same run.

        Raises:
            RunError: If it cannot be made.
        """
        run_id, lock = self.store.create(replace(spec, executor=self.name), key)
        if lock is not None:
            self._spawn(run_id, RunSpec.read(read_json(self.store.folder(run_id) / SPEC)), lock)
        return run_id

    def start(self, run_id: str) -> None:
        """Resume a run, or try it again. Does nothing if its worker lives.

        Raises:
            RunError: If there is no such run, it has succeeded, or its spec cannot be read.
        """
        record = self.store.get(run_id)
        if record.state is RunState.SUCCEEDED:
            raise RunError(f"{run_id} has succeeded. Duplicate it to run it again.")
        lock = Lock.taken(record.folder / LOCK)
        if lock is None:
            return
        try:
            spec = RunSpec.read(read_json(record.folder / SPEC))
            former = self.store.get(run_id).status
            status = Status(attempt=former.attempt + bool(former.pid), spec_sha256=former.spec_sha256)
            (record.folder / CANCEL).unlink(missing_ok=True)
            if not (record.folder / BALLAST).exists():
                (record.folder / BALLAST).write_bytes(os.urandom(32_768))
            write_json(record.folder / STATUS, asdict(status))
        except BaseException as error:
            lock.release()
            if isinstance(error, OSError):
                raise RunError(f"{run_id} cannot be started: {error.strerror or error}.") from error
            raise
        self._spawn(run_id, spec, lock)

    def stop(self, run_id: str) -> None:
        """Ask a run to save and end; the second time, end it at once.

        Raises:
            RunError: If there is no such run.
        """
        record = self.store.get(run_id)
        if record.state.is_finished:
            return
        if record.state is RunState.STOPPING:
            self.kill(run_id)
        else:
            self.store.ask_to_stop(run_id)

    def kill(self, run_id: str) -> None:
        """End a run's worker at once; what its last complete checkpoint holds stays.

        Raises:
            RunError: If its worker is not on this machine.
        """
        self.store.ask_to_stop(run_id)
        until = time.monotonic() + _UNTIL_IT_SPEAKS_S
        while is_held(self.store.folder(run_id) / LOCK):
            status = self.store.get(run_id).status
            if status.pid and status.host != socket.gethostname():
                raise RunError(f"{run_id} runs on {status.host}. Stop it there.")
            if status.pid:
                _end(status.pid)
                return
            if time.monotonic() > until:
                raise RunError(f"{run_id} has not begun to speak yet. Try again in a moment.")
            time.sleep(0.02)

    def lives(self, record: RunRecord) -> bool | None:
        """Whether a run's worker lives."""
        return is_held(record.folder / LOCK)

    def _spawn(self, run_id: str, spec: RunSpec, lock: Lock) -> None:
        folder = self.store.folder(run_id)
        for queue in queues_of(self.store.home, spec)[:1]:
            queue.join(run_id, spec.order)
        environment = {**os.environ, **dict.fromkeys(_THREADS, str(spec.threads)), "PYTHONUNBUFFERED": "1"}
        options: dict[str, Any] = {"start_new_session": True}
        if CAN_HAND_OVER:
            environment[DESCRIPTOR] = str(lock.descriptor)
            options["pass_fds"] = (lock.descriptor,)
        else:
            options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined,unused-ignore]
            lock.release()
        try:
            with (folder / LOG).open("ab") as log:
                child = subprocess.Popen(  # noqa: S603 - this interpreter, our module, a folder of ours
                    [sys.executable, "-m", "compecon.runs.worker", str(folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self.store.home.root,
                    env=environment,
                    **options,
                )
        except OSError as error:
            raise RunError(f"No worker could be started for {run_id}: {error.strerror or error}.") from error
        finally:
            if CAN_HAND_OVER:
                lock.handed_over()
        threading.Thread(target=child.wait, daemon=True, name=f"reaper of {run_id}").start()  # or it stays a zombie


def _end(pid: int) -> None:
    with suppress(ProcessLookupError):
        if os.name == "nt":
            os.kill(pid, signal.SIGTERM)
        elif os.getpgid(pid) == pid:  # a session of its own: what it has started ends too
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
