"""Whether a process that speaks up every second still does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import final

SILENT_S = 60.0


@final
class Pulse:
    """When something was last heard; nothing is lost before the first word.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heard: float | None = None
        self._looked = clock()

    def beat(self) -> None:
        """Something was heard."""
        self._heard = self._clock()

    def is_lost(self) -> bool:
        """Whether nothing was heard for too long; asked about once a second, by one thread."""
        now, before = self._clock(), self._looked
        self._looked = now
        if self._heard is None:
            return False
        if now - before > SILENT_S / 2:  # whoever asks was held up as well: the machine slept, or is overloaded
            self._heard = now
        return now - self._heard > SILENT_S
