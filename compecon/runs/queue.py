"""Queues: tickets in a folder, oldest first, and slots that are locks."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self, final

from compecon.errors import RunError
from compecon.files.durable import read_json
from compecon.runs import turn
from compecon.runs.devices_here import visible_gpus
from compecon.runs.home import Home
from compecon.runs.locks import Lock
from compecon.runs.run_record import SCHEMA, checked_id


@final
@dataclass(frozen=True)
class Slot:
    """A place on a device, by number from 0, and its held lock."""

    number: int
    lock: Lock

    @classmethod
    def held(cls, folder: Path, number: int, descriptor: int) -> Self:
        """A slot of a queue's folder whose lock this process holds already; children of this one will not get it."""
        os.set_inheritable(descriptor, False)
        return cls(number, Lock(folder / f"slot-{number}.lock", descriptor))


@final
@dataclass(frozen=True)
class Queue:
    """Runs that wait for one kind of device.

    Attributes:
        home: The home.
        name: "cpu", "gpu", or a sweep's name.
        n_slots: How many may hold a slot at a time.
    """

    home: Home
    name: str
    n_slots: int

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

    def turn(
        self, run_id: str, order: int, *, unwanted: Callable[[], bool], tell: Callable[[int], None] = lambda _: None
    ) -> Slot | None:
        """Wait for a slot, see `compecon.runs.turn.wait_for_turn`; None if it was given up."""
        folder, runs = str(self.folder), str(self.home.runs)
        slot = turn.wait_for_turn(folder, runs, self.n_slots, (run_id, order), unwanted, tell)
        return None if slot is None else Slot.held(self.folder, *slot)


def limit_of(home: Home, sweep: str) -> int:
    """How many runs of a sweep may run at a time; 0 for as many as there are devices."""
    if not sweep:
        return 0
    try:
        limit = read_json(home.sweeps / f"{checked_id(sweep)}.json", SCHEMA).get("parallel", 0)
    except (OSError, RunError):
        return 0
    return limit if isinstance(limit, int) and limit > 0 else 0
