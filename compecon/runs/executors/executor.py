"""What every executor can do. The state of a run is always read from its folder, never from here."""

from __future__ import annotations

from typing import Protocol

from compecon.runs.run_record import RunRecord, RunSpec


class Executor(Protocol):
    """Starts and ends workers: on this machine, or on a cluster."""

    @property
    def name(self) -> str:
        """Its name in specs."""
        ...

    def problems(self) -> tuple[str, ...]:
        """Why it could not run anything now, in sentences; empty if it could."""
        ...

    def submit(self, spec: RunSpec, key: str = "") -> str:
        """Create a run and start its worker; the same key gives the same run."""
        ...

    def start(self, run_id: str) -> None:
        """Start the worker of an unfinished run that has none. Does nothing if one is alive."""
        ...

    def stop(self, run_id: str) -> None:
        """Ask a run to save a checkpoint and stop; the second time, end it at once."""
        ...

    def lives(self, record: RunRecord) -> bool | None:
        """Whether a run's worker is alive; None if unknown, which is no reason to start another one."""
        ...
