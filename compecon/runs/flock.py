"""Locks of the operating system on open descriptors, for processes that load nearly nothing: `compecon.runs.locks`.

Together with `compecon.runs.turn` this is all that a run that waits for its turn has in memory, so nothing is imported
here but what a bare interpreter has anyway.
"""

from __future__ import annotations

import os
import sys
import time

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)  # a named pipe would stop us for ever


def taken(path: str | os.PathLike[str], patience_s: float) -> int | None:
    """Open descriptor of a file, made if absent, whose lock this process now holds; None if another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | FLAGS, 0o644)
    until = time.monotonic() + patience_s
    while not take(descriptor):
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
        return not take(descriptor, shared=True)  # shared: two who look do not see each other
    finally:
        os.close(descriptor)


def take(descriptor: int, *, shared: bool = False) -> bool:
    """Take the lock of an open file if nobody holds it."""
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


def give_back(descriptor: int) -> None:
    """Release the lock of an open file, and close it."""
    if sys.platform == "win32":
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def is_in_place(descriptor: int, path: str | os.PathLike[str]) -> bool:
    """Whether a path is still the file that was opened; not if it or its folder was removed."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False
