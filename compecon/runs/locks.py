"""Locks of the operating system: held by a living process, and free the moment it is gone, however it went.

A lock is the only sign of life that counts. Process numbers are reused and clocks are set back; the kernel frees a
lock on `kill -9` and at a reboot. filelock cannot hand a held lock on to a child process, and without that a run that
was just submitted would look dead for a moment.

Together with `compecon.runs.turn` this is all that a waiting run has in memory, so only modules that a bare interpreter
has anyway are imported.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

CAN_HAND_OVER = sys.platform != "win32"
FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)  # a named pipe would stop us for ever
_PATIENCE_S = 0.2  # a process that only checks whether a lock is held holds it for microseconds


class Lock:
    """A lock that this process holds through an open descriptor until it releases it, leaves its block, or ends."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path, self.descriptor = path, descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.release()

    @classmethod
    def taken(cls, path: Path, patience_s: float = _PATIENCE_S) -> Self | None:
        """The lock, tried for so many seconds; None if another process holds it."""
        descriptor = taken(path, patience_s)
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
        """Whether the file is still the one that was locked; not if it or its folder was removed."""
        return is_in_place(self.descriptor, self.path)

    def handed_over(self) -> None:
        """Forget the lock after a child got its descriptor: it is held until the child has closed it too."""
        os.close(self.descriptor)

    def release(self) -> None:
        """Release it."""
        if sys.platform == "win32":
            os.lseek(self.descriptor, 0, os.SEEK_SET)
            msvcrt.locking(self.descriptor, msvcrt.LK_UNLCK, 1)
        else:
            fcntl.flock(self.descriptor, fcntl.LOCK_UN)
        os.close(self.descriptor)


def taken(path: str | os.PathLike[str], patience_s: float) -> int | None:
    """Open descriptor of a file, made if absent, whose lock this process now holds; None if another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | FLAGS, 0o644)
    until = time.monotonic() + patience_s
    while not _take(descriptor):
        if time.monotonic() >= until:
            os.close(descriptor)
            return None
        time.sleep(0.005)
    return descriptor


def is_held(path: str | os.PathLike[str]) -> bool:
    """Whether some process holds the lock; creates no file and needs no write permission.

    A lock that exists and cannot be checked counts as held, so that no second worker is started.
    """
    try:
        descriptor = os.open(path, (os.O_RDWR if sys.platform == "win32" else os.O_RDONLY) | FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    try:
        return not _take(descriptor, shared=True)  # shared: two processes that check do not see each other
    finally:
        os.close(descriptor)


def is_in_place(descriptor: int, path: str | os.PathLike[str]) -> bool:
    """Whether a path is still the file that was opened; not if it or its folder was removed."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False


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
