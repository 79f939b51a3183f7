"""What any way of running runs can do. What became of a run is always read from its folder, never from here."""

from __future__ import annotations

from typing import Protocol

from compecon.runs.run_record import RunRecord, RunSpec


class Executor(Protocol):
    """Starts and ends workers: on this machine, or on a cluster."""

    @property
    def name(self) -> str:
        """What a spec calls it."""
        ...

    def problems(self) -> tuple[str, ...]:
        """Why it could not run anything now, in sentences; empty if it could."""
        ...

    def submit(self, spec: RunSpec, key: str = "") -> str:
        """Make a run and start its worker; the same key gives the same run.

        Raises:
            RunError: If it cannot be made.
        """
        ...

    def start(self, run_id: str) -> None:
        """Start the worker of a run that has none: resume it, or try it again. Does nothing if one lives.

        Raises:
            RunError: If there is no such run, or it has succeeded.
        """
        ...

    def stop(self, run_id: str) -> None:
        """Ask a run to save a checkpoint and end; the second time, end it at once.

        Raises:
            RunError: If there is no such run.
        """
        ...

    def lives(self, record: RunRecord) -> bool | None:
        """Whether a run's worker lives; None if nobody knows, which is no reason to start another one."""
        ...
