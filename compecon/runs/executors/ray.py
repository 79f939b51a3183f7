"""Runs on a Ray cluster: the same worker, started by Ray where there is room.

Ray starts and places workers; the state of a run is in its folder, which must be on storage that every machine sees
under the same path. A job that Ray does not know, or a Ray that does not answer, says nothing about the worker: after a
restart of the head its list of jobs is empty while they continue.
"""

from __future__ import annotations

import os
import shlex
import time
import urllib.parse
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, final

from compecon.children import command
from compecon.errors import RunError
from compecon.files.durable import read_json, write_json
from compecon.runs.executors.executor import THREAD_VARIABLES, Executor, require_unfinished
from compecon.runs.executors.ray_jobs import ENDED, JobServer, checked_address, is_loopback
from compecon.runs.executors.ray_table import JobTable, table_of
from compecon.runs.folder import CANCEL, LOCK, STATUS, keep_ballast
from compecon.runs.home import system_errors
from compecon.runs.locks import Lock, is_held
from compecon.runs.run_record import SCHEMA, RunRecord, RunSpec, RunState, Status, checked_id
from compecon.runs.store import RunStore

ADDRESS = "COMPECON_RAY_ADDRESS"
_LOOK_S = 0.2
_LETTING_GO_S = 2.0  # a worker reports its end a moment before it has ended


@final
@dataclass(frozen=True)
class Cluster:
    """How to use a Ray cluster. Never read from a run's folder: a token is sent along."""

    address: str  # of its job server, like "http://127.0.0.1:8265"; "" for none
    python: str = ""  # Python of its machines; "" for this one if the address is this machine's, else "python"
    gpu: bool | None = None  # whether each process of a run gets a GPU; None if the spec decides
    without_token: bool = False  # whether another machine may be addressed without a token
    lease_s: float = 120.0  # how long nothing must have moved before a run of unknown state may be started anyway

    @classmethod
    def from_environment(cls, address: str = "") -> Self:
        """The given address or ``COMPECON_RAY_ADDRESS``; ``_PYTHON``, ``_GPU``, ``_WITHOUT_TOKEN`` likewise."""
        trusted = _flag("COMPECON_RAY_WITHOUT_TOKEN") or False
        python = os.environ.get("COMPECON_RAY_PYTHON", "")
        return cls(address or os.environ.get(ADDRESS, ""), python, _flag("COMPECON_RAY_GPU"), trusted)


@final
class RayExecutor(Executor):
    """Workers as jobs of Ray, for runs on storage that the cluster shares."""

    name = "ray"

    def __init__(self, store: RunStore, cluster: Cluster) -> None:
        super().__init__(store)
        self.cluster = cluster

    def submit(self, spec: RunSpec, key: str = "") -> str:
        """Create a run and submit it to Ray; one that Ray refuses says so, and can be started again."""
        self._server().version()
        run_id, lock = self.store.create(replace(spec, executor=self.name, queue=self._queue(spec)), key)
        if lock is not None:
            lock.release()  # the worker takes it, wherever it is
            self._place(run_id)
        return run_id

    def start(self, run_id: str) -> None:
        """Start the worker of an unfinished run that has none. Does nothing if one is alive."""
        record = self._own(run_id)
        if not record.state.is_finished and (lives := self.lives(record)) is not False:
            if lives:
                return
            raise RunError(
                f"The state of {run_id} is unknown: {self._table().why or 'Ray does not know the run'}. If you are "
                f"sure that its worker is gone, `compecon resume {run_id} --anyway` watches it for "
                f"{self.cluster.lease_s:.0f} s and starts it if nothing moves."
            )
        self._start(record)

    def start_anyway(self, run_id: str) -> None:
        """Start a run of unknown state, once nothing of it has moved for the lease; blocks until then.

        The time is measured by this process, from when it first saw the run as it is now; no clocks are compared.
        """
        self._server().version()
        record = self._own(run_id)
        seen = self._table().trace(record)
        while not record.state.is_finished and (lives := self.lives(record)) is not False:
            if lives or self._table().trace(record) != seen:
                raise RunError(f"{run_id} is making progress. Stop it before you start it again.")
            if self._table().still_for(record) >= self.cluster.lease_s:
                break
            time.sleep(_LOOK_S)
            record = self._own(run_id)
        self._start(record)

    def stop(self, run_id: str) -> None:
        """Ask a run to save a checkpoint and stop; the second time, end it at once."""
        record = self._own(run_id)
        super().stop(run_id)
        is_first = not record.state.is_finished and record.state is not RunState.STOPPING
        if is_first and self._table().status(_submission(record)) == "PENDING":  # no worker that could see it
            self._server().stop(_submission(record))
            self._say(record, RunState.CANCELLED, "Stopped before Ray had a place for it.")

    def kill(self, run_id: str) -> None:
        """End a run's worker within seconds; its last complete checkpoint stays."""
        record = self._own(run_id)
        self.store.ask_to_stop(run_id)
        self._server().stop(_submission(record))

    def lives(self, record: RunRecord) -> bool | None:
        """Whether a run's worker is alive; None if unknown.

        A held lock is a sure sign; a free one means nothing where storage keeps the locks of other machines to itself.
        A succeeded job has reported so in the run's folder, which this machine may see only later.
        """
        if is_held(record.folder / LOCK):
            return True
        try:
            table = self._table()
        except RunError:
            return None
        table.still_for(record)
        said = table.status(_submission(record))
        return None if said in (None, "SUCCEEDED") else said not in ENDED

    def _queue(self, spec: RunSpec) -> Literal["cpu", "gpu", ""]:
        if self.cluster.gpu is None:
            return spec.queue
        return "gpu" if self.cluster.gpu else "cpu"

    def _start(self, record: RunRecord) -> None:
        require_unfinished(record)
        self._server().version()
        lock = Lock.taken(record.folder / LOCK, patience_s=_LETTING_GO_S)
        if lock is None:
            return
        with lock, system_errors(f"{record.run_id} cannot be started"):
            former = Status.read(read_json(record.folder / STATUS, SCHEMA))
            if former.attempt == record.status.attempt:  # another process may have been faster
                (record.folder / CANCEL).unlink(missing_ok=True)
                keep_ballast(record.folder)
                write_json(record.folder / STATUS, former.again(former.attempt + 1).as_json())
        self._place(record.run_id)

    def _place(self, run_id: str) -> None:
        record = self.store.get(run_id)
        try:
            self._server().submit(self._job(record))
        except RunError as error:
            self._say(record, RunState.FAILED, str(error))
            raise
        finally:
            self._table().forget()

    def _job(self, record: RunRecord) -> dict[str, Any]:
        """The job; Ray passes its line to a shell."""
        host = urllib.parse.urlsplit(self.cluster.address).hostname or ""
        python = self.cluster.python or ("" if is_loopback(host) else "python")
        checked_id(record.folder.name)
        spec = record.spec
        return {
            "entrypoint": shlex.join(command("-m", "compecon.runs.worker", str(record.folder), python=python)),
            "submission_id": _submission(record),
            "runtime_env": {"env_vars": dict.fromkeys(THREAD_VARIABLES, str(spec.threads))},
            "metadata": {"run": record.run_id},
            "entrypoint_num_cpus": spec.threads,
            "entrypoint_num_gpus": 1 if spec.queue == "gpu" else 0,
        }

    def _say(self, record: RunRecord, state: RunState, reason: str) -> None:
        """Record how a run ended that no worker has reported; a worker that starts after all overwrites it."""
        lock = Lock.taken(record.folder / LOCK)
        if lock is None:
            return
        with lock:
            former = Status.read(read_json(record.folder / STATUS, SCHEMA))
            if not former.pid and not former.state.is_finished:
                write_json(record.folder / STATUS, replace(former, state=state, reason=reason).as_json())

    def _own(self, run_id: str) -> RunRecord:
        record = self.store.get(run_id)
        if record.spec.executor != self.name:
            raise RunError(f"{run_id} was submitted to {record.spec.executor}, not to Ray.")
        return record

    def _server(self) -> JobServer:
        return JobServer(checked_address(self.cluster.address, without_token=self.cluster.without_token))

    def _table(self) -> JobTable:
        return table_of(self._server())


def _submission(record: RunRecord) -> str:
    """The job's name: the same however often an attempt is submitted."""
    return f"cc-{record.run_id}-a{record.status.attempt}"


def _flag(name: str) -> bool | None:
    given = os.environ.get(name, "")
    if given not in ("", "0", "1"):
        raise RunError(f"{name} must be 0 or 1, got {given[:60]!r}.")
    return given == "1" if given else None
