"""Whose turn it is: tickets in a folder, oldest first, and slots that are locks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

from compecon.runs.devices import n_gpus
from compecon.runs.home import Home
from compecon.runs.locks import Lock, is_held

_DIGITS = 12
_SHORTEST_S, _LONGEST_S = 0.05, 0.5


@final
@dataclass(frozen=True)
class Slot:
    """A place on a device, held.

    Attributes:
        number: Which one, from 0.
        lock: Its lock.
    """

    number: int
    lock: Lock


@final
@dataclass(frozen=True)
class Queue:
    """Runs that wait for one kind of thing.

    Attributes:
        home: The home.
        name: "cpu", "gpu", or what a sweep calls its own.
        n_slots: How many may hold a slot at a time.
    """

    home: Home
    name: str
    n_slots: int

    @classmethod
    def of_device(cls, home: Home, device: str) -> Queue:
        """The queue of a kind of device: one slot for all of the CPU and one for each GPU, unless set otherwise."""
        return cls(home, device, home.slots.get(device, max(1, n_gpus()) if device == "gpu" else 1))

    @property
    def folder(self) -> Path:
        """Where its tickets and slots are."""
        return self.home.queues / self.name

    def join(self, run_id: str, order: int) -> None:
        """Take a ticket; the lower the order, the earlier the turn."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{order:0{_DIGITS}}-{run_id}.ticket").touch()

    def leave(self, run_id: str) -> None:
        """Give tickets back."""
        for path in self.folder.glob(f"*-{run_id}.ticket"):
            path.unlink(missing_ok=True)

    def waiting(self) -> list[str]:
        """Who waits, in the order of turns. Tickets whose worker is gone are thrown away."""
        return list(self._waiting())

    def turn(
        self, run_id: str, order: int, *, unwanted: Callable[[], bool], tell: Callable[[int], None] = lambda _: None
    ) -> Slot | None:
        """Wait for a slot.

        Args:
            run_id: Who; holds the lock of its run, or it would be taken for dead.
            order: The number of its ticket.
            unwanted: Asked again and again whether to give up.
            tell: Is told how many are before it, when that changes.

        Returns:
            The slot; None if it was given up.

        Raises:
            OSError: If tickets or slots cannot be written.
        """
        pause, told = _SHORTEST_S, -1
        while not unwanted():
            before = self._before(run_id)
            if before is None:
                self.join(run_id, order)  # no ticket yet, or someone tidied up
            elif before == 0 and (slot := self._free()) is not None:
                self.leave(run_id)
                return slot
            elif before != told:
                pause, told = _SHORTEST_S, before
                tell(before)
            time.sleep(pause)
            pause = min(_LONGEST_S * (1 + max(0, told) / 10), 1.3 * pause)  # who is far behind need not look often
        self.leave(run_id)
        return None

    def _before(self, run_id: str) -> int | None:
        return next((before for before, other in enumerate(self._waiting()) if other == run_id), None)

    def _waiting(self) -> Iterator[str]:
        for path in sorted(self.folder.glob("*.ticket")):
            run_id = path.stem[_DIGITS + 1 :]
            if is_held(self.home.runs / run_id / "worker.lock"):
                yield run_id
            else:
                path.unlink(missing_ok=True)

    def _free(self) -> Slot | None:
        for number in range(self.n_slots):
            if (lock := Lock.taken(self.folder / f"slot-{number}.lock", patience_s=0.0)) is not None:
                return Slot(number, lock)
        return None
