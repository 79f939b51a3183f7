"""Locks of the operating system: held by a living process, and free the moment it is gone, however it went.

A lock is the only sign of life that is looked at. Process numbers are used again and clocks are set back; the kernel
frees a lock on `kill -9` and at a reboot. filelock has no way to hand a held lock on to a child process, and without
that there is a moment in which a run that was just submitted looks dead: hence these few lines.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Self, final

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

CAN_HAND_OVER = sys.platform != "win32"
_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)  # a named pipe would stop us for ever
_PATIENCE_S = 0.2  # someone who only looks whether a lock is held holds it for microseconds


@final
class Lock:
    """A lock that this process holds until it releases it or ends.

    Attributes:
        path: The file.
        descriptor: Open descriptor that the lock belongs to.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path, self.descriptor = path, descriptor

    @classmethod
    def taken(cls, path: Path, patience_s: float = _PATIENCE_S) -> Self | None:
        """The lock if nobody holds it.

        Args:
            path: The file; made if there is none.
            patience_s: How long to try.

        Raises:
            OSError: If the file cannot be opened or made.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o644)
        until = time.monotonic() + patience_s
        while not _take(descriptor):
            if time.monotonic() >= until:
                os.close(descriptor)
                return None
            time.sleep(0.005)
        return cls(path, descriptor)

    @classmethod
    def inherited(cls, path: Path, descriptor: int) -> Self:
        """A lock that the parent process took and handed over; children of this one will not get it.

        Raises:
            OSError: If the descriptor is not that file's.
        """
        if not os.path.samestat(os.fstat(descriptor), path.stat()):
            raise OSError(f"descriptor {descriptor} does not belong to {path}")
        os.set_inheritable(descriptor, False)
        return cls(path, descriptor)

    @property
    def is_in_place(self) -> bool:
        """Whether the file is still the one that was locked; not if someone removed it or its folder."""
        try:
            return os.path.samestat(os.fstat(self.descriptor), self.path.stat())
        except OSError:
            return False

    def handed_over(self) -> None:
        """Forget the lock after a child got its descriptor: it is held until the child has closed it too."""
        os.close(self.descriptor)

    def release(self) -> None:
        """Let go."""
        if sys.platform == "win32":
            os.lseek(self.descriptor, 0, os.SEEK_SET)
            msvcrt.locking(self.descriptor, msvcrt.LK_UNLCK, 1)
        else:
            fcntl.flock(self.descriptor, fcntl.LOCK_UN)
        os.close(self.descriptor)


def is_held(path: Path) -> bool:
    """Whether some process holds the lock; looks only, makes no file, and needs no right to write.

    A lock that is there and cannot be looked at counts as held: not to know is no reason to start another worker.
    """
    try:
        descriptor = os.open(path, (os.O_RDWR if sys.platform == "win32" else os.O_RDONLY) | _FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    try:
        return not _take(descriptor, shared=True)  # shared: two who look do not see each other
    finally:
        os.close(descriptor)


def _take(descriptor: int, *, shared: bool = False) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            if shared:
                msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        else:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
