"""Whose turn it is on the processor: that of the job which has used least, so short texts never wait for long ones.

A job takes a turn for each step, a forward pass or a batch of them. Jobs that have used more than a second are long;
they never hold all places at once. A job that measures time waits until no other one runs or waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

LONG_S = 1.0
_LOOK_S = 0.2  # how soon a job that waits finds out that nobody wants it any more


@final
@dataclass(eq=False)
class Job:
    """What takes turns."""

    wanted: Callable[[], bool]  # whether somebody still reads its answer
    used_s: float = 0.0  # seconds of its turns so far
    needs_quiet: bool = False  # whether it runs only while no other job runs or waits: it measures time

    @property
    def is_long(self) -> bool:
        """Whether it has had more than a short text needs."""
        return self.used_s > LONG_S


@final
class Turns:
    """Hands out turns.

    Args:
        places: How many jobs run at once.
        long_places: How many of them may be long.
    """

    def __init__(self, places: int = 3, long_places: int = 2) -> None:
        self._places, self._long_places = places, long_places
        self._changed = threading.Condition()
        self._running: list[Job] = []
        self._waiting: list[Job] = []

    def ahead_of(self, job: Job) -> int:
        """How many jobs a new job has to wait for; 0 if it may begin at once."""
        with self._changed:
            others = [other for other in self._waiting if other is not job and not other.needs_quiet]
            sooner = sum(other.used_s <= job.used_s for other in others)
            free = self._places - len(self._running)
            return 0 if free > sooner else len(self._running) + sooner

    @contextmanager
    def turn(self, job: Job) -> Iterator[bool]:
        """Wait for a turn and hold it; False if nobody wants the job's answer any more."""
        with self._changed:
            self._waiting.append(job)
            try:
                while job.wanted() and not self._may_run(job):
                    self._changed.wait(_LOOK_S)
            finally:
                self._waiting.remove(job)
            self._running.append(job)
        began = time.monotonic()
        try:
            yield job.wanted()
        finally:
            with self._changed:
                job.used_s += time.monotonic() - began
                self._running.remove(job)
                self._changed.notify_all()

    def _may_run(self, job: Job) -> bool:
        if len(self._running) >= self._places:
            return False
        ready = [other for other in self._waiting if not self._is_held_up(other)]
        return bool(ready) and min(ready, key=_used) is job

    def _is_held_up(self, job: Job) -> bool:
        if job.needs_quiet:
            return bool(self._running) or any(not other.needs_quiet for other in self._waiting)
        return job.is_long and sum(other.is_long for other in self._running) >= self._long_places


def _used(job: Job) -> float:
    return job.used_s
