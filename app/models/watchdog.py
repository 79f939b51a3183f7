"""Notices what takes longer than it can: a forward pass, a tokenizer or a load that never ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, final

TEXT_S, LOAD_S = 60.0, 300.0  # without a sign of life, for a tokenizer and between two tensors of a load
_PASS_S = 60.0  # for a forward pass that costs nothing: a machine may be busy with other things
_MACS_PER_S, _BYTES_PER_S = 1e9, 1e7  # a hundredth of what a slow core does, so that swapping is not taken for an end

Late = Callable[[float], None]  # called with the seconds that something may take, and took longer


def pass_seconds(n_weights: int, n_tokens: int, need: int) -> float:
    """How long a forward pass may take at most: a minute, and its cost at a hundredth of a slow core's speed.

    Args:
        n_weights: Of the model.
        n_tokens: Of all rows of the pass.
        n_tokens: Of all rows together.
        need: Bytes that the text's stream takes.
    """
    return _PASS_S + n_weights * n_tokens / _MACS_PER_S + need / _BYTES_PER_S


@final
class Watchdog:
    """The steps that are being taken.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._running: set[Step] = set()

    def step(self, within_s: float, late: Late = lambda _: None) -> Step:
        """A step that ends within so many seconds, again and again; `late` is called with them if it does not."""
        return Step(self, within_s, late)

    def begin(self, step: Step) -> None:
        """A step begins."""
        with self._lock:
            self._running.add(step)

    def end(self, step: Step) -> None:
        """A step has ended."""
        with self._lock:
            self._running.discard(step)

    def bites(self) -> bool:
        """Whether a step is late; whoever waits for it is told."""
        with self._lock:
            late = [step for step in self._running if self.clock() - step.seen > step.within_s]
        for step in late:
            step.late(step.within_s)
        return bool(late)


@final
class Step:
    """A context that may be entered again: its time begins anew with each entry, and with each sign of life."""

    def __init__(self, watchdog: Watchdog, within_s: float, late: Late) -> None:
        self._watchdog, self.within_s, self.late = watchdog, within_s, late
        self.seen = watchdog.clock()

    def asking(self, wanted: Callable[[], bool]) -> Callable[[], bool]:
        """The same question, as a sign of life of who asks it."""

        def asked() -> bool:
            self.seen = self._watchdog.clock()
            return wanted()

        return asked

    def __enter__(self) -> Self:
        self.seen = self._watchdog.clock()
        self._watchdog.begin(self)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._watchdog.end(self)
