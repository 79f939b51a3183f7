"""Queues: tickets in a folder, oldest first, and slots that are locks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

from compecon.errors import RunError
from compecon.files.durable import read_json
from compecon.runs import turn
from compecon.runs.devices_here import visible_gpus
from compecon.runs.home import Home
from compecon.runs.run_record import SCHEMA, checked_id


@final
@dataclass(frozen=True)
class Queue:
    """Runs that wait for one kind of device."""

    home: Home
    name: str  # "cpu", "gpu", or a sweep's name
    n_slots: int  # how many may hold a slot at a time

    @classmethod
    def of_device(cls, home: Home, device: str) -> Queue:
        """The queue of a kind of device: one slot for the CPU and one for each GPU, unless configured."""
        return cls(home, device, home.slots.get(device, max(1, len(visible_gpus())) if device == "gpu" else 1))

    @property
    def folder(self) -> Path:
        """Where its tickets and slots are."""
        return self.home.queues / self.name

    def join(self, run_id: str, order: int) -> None:
        """Take a ticket; the lower the order, the earlier the turn."""
        turn.join(str(self.folder), run_id, order)

    def waiting(self) -> list[str]:
        """Runs that wait, in the order of turns. Tickets whose worker is gone are removed."""
        return list(turn.waiting(str(self.folder), str(self.home.runs)))

    @property
    def plan(self) -> tuple[str, str, int]:
        """What a process that waits needs to know: its name, folder and number of slots."""
        return self.name, str(self.folder), self.n_slots


def limit_of(home: Home, sweep: str) -> int:
    """How many runs of a sweep may run at a time; 0 for as many as there are devices."""
    if not sweep:
        return 0
    try:
        limit = read_json(home.sweeps / f"{checked_id(sweep)}.json", SCHEMA).get("parallel", 0)
    except (OSError, RunError):
        return 0
    return limit if isinstance(limit, int) and limit > 0 else 0
