"""Locks of the operating system: held by a living process, and free the moment it is gone, however it went.

A lock is the only sign of life that is looked at. Process numbers are used again and clocks are set back; the kernel
frees a lock on `kill -9` and at a reboot. filelock has no way to hand a held lock on to a child process, and without
that there is a moment in which a run that was just submitted looks dead: hence these few lines.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Self, final

from compecon.runs import flock
from compecon.runs.flock import is_held as is_held

CAN_HAND_OVER = sys.platform != "win32"
_PATIENCE_S = 0.2  # someone who only looks whether a lock is held holds it for microseconds


@final
class Lock:
    """A lock that this process holds through an open descriptor until it releases it or ends."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path, self.descriptor = path, descriptor

    @classmethod
    def taken(cls, path: Path, patience_s: float = _PATIENCE_S) -> Self | None:
        """The lock, tried for so many seconds; None if another process holds it."""
        descriptor = flock.taken(path, patience_s)
        return None if descriptor is None else cls(path, descriptor)

    @classmethod
    def inherited(cls, path: Path, descriptor: int) -> Self:
        """A lock that the parent process took and handed over; children of this one will not get it."""
        if not os.path.samestat(os.fstat(descriptor), path.stat()):
            raise OSError(f"descriptor {descriptor} does not belong to {path}")
        os.set_inheritable(descriptor, False)
        return cls(path, descriptor)

    @property
    def is_in_place(self) -> bool:
        """Whether the file is still the one that was locked; not if someone removed it or its folder."""
        return flock.is_in_place(self.descriptor, self.path)

    def handed_over(self) -> None:
        """Forget the lock after a child got its descriptor: it is held until the child has closed it too."""
        os.close(self.descriptor)

    def release(self) -> None:
        """Release it."""
        flock.give_back(self.descriptor)
