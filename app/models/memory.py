"""Memory for sweeps: each says what it will need, and begins once that is free."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import final

import psutil

SHARE = 0.6  # of what is free: the rest is for the page, the browser and an estimate that was too low
_LOOK_S = 0.2


def give_back() -> None:
    """Return freed memory to the system: glibc keeps hundreds of megabytes after a sweep. Elsewhere it does nothing."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def free_bytes() -> int:
    """What this machine has free."""
    return int(psutil.virtual_memory().available)


def free_on_cuda() -> int:
    """What the current CUDA device has free, with what torch holds there and does not use."""
    import torch  # noqa: PLC0415 - it is there by now

    return int(torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved() - torch.cuda.memory_allocated())


def free_with_cuda() -> int:
    """What both this machine and its CUDA device have free."""
    return min(free_bytes(), free_on_cuda())


@final
class MemoryGate:
    """Lets sweeps begin whose needs together fit."""

    def __init__(self, free: Callable[[], int] = free_bytes) -> None:
        self._free_bytes = free
        self._changed = threading.Condition()
        self._held = 0

    def would_wait(self, need: int) -> bool:
        """Whether others hold what a sweep needs."""
        with self._changed:
            return self._is_short(need)

    def _is_short(self, need: int) -> bool:
        return self._held > 0 and self._held + need > SHARE * self._free_bytes()

    @contextmanager
    def hold(self, need: int, wanted: Callable[[], bool]) -> Iterator[int]:
        """Hold memory once there is enough beside what others hold; an unwanted sweep waits no longer.

        Yields:
            0, or the bytes that are free if they would not be enough even if nobody else held any.
        """
        with self._changed:
            while wanted() and self._is_short(need):
                self._changed.wait(_LOOK_S)
            free = self._free_bytes()
            short = free if need + self._held > SHARE * free else 0
            self._held += need
        try:
            yield short
        finally:
            with self._changed:
                self._held -= need
                self._changed.notify_all()
