"""What every executor can do. The state of a run is always read from its folder, never from here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from compecon.errors import RunError
from compecon.runs.run_record import RunRecord, RunSpec, RunState
from compecon.runs.store import RunStore

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Executor(ABC):
    """Starts and ends the workers of a store's runs: on this machine, or on a cluster."""

    name: ClassVar[str]  # its name in specs

    def __init__(self, store: RunStore) -> None:
        self.store = store

    @abstractmethod
    def submit(self, spec: RunSpec, key: str = "") -> str:
        """Create a run and start its worker; the same key gives the same run, and a failed start leaves it there."""

    @abstractmethod
    def start(self, run_id: str) -> None:
        """Start the worker of an unfinished run that has none. Does nothing if one is alive."""

    def start_anyway(self, run_id: str) -> None:
        """Start a run whose worker may be alive, once nothing has moved for a while; here a lock always tells."""
        self.start(run_id)

    def stop(self, run_id: str) -> None:
        """Ask a run to save a checkpoint and stop; the second time, end it at once."""
        record = self.store.get(run_id)
        record.require_known()
        if record.state is RunState.STOPPING:
            self.kill(run_id)
        elif not record.state.is_finished:
            self.store.ask_to_stop(run_id)

    @abstractmethod
    def kill(self, run_id: str) -> None:
        """End a run's worker at once; its last complete checkpoint stays."""

    @abstractmethod
    def lives(self, record: RunRecord) -> bool | None:
        """Whether a run's worker is alive; None if unknown, which is no reason to start another one."""


def require_unfinished(record: RunRecord) -> None:
    """Refuse to start a run that has succeeded, or that a newer compecon wrote."""
    record.require_known()
    if record.state is RunState.SUCCEEDED:
        raise RunError(f"{record.run_id} has succeeded. Duplicate it to run it again.")
