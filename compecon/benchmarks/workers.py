"""Workers to measure: started in a home of their own, waited for, and gone at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from compecon.errors import CompeconError
from compecon.runs.executors.local import LocalExecutor
from compecon.runs.folder import LOCK
from compecon.runs.home import Home
from compecon.runs.locks import is_held
from compecon.runs.store import RunStore

_WITHIN_S = 120.0
_POLL_S = 0.002
Found = TypeVar("Found")


@contextmanager
def executor_in(root: Path) -> Iterator[LocalExecutor]:
    """An executor whose workers end with the block."""
    executor = LocalExecutor(RunStore(Home(root).made()))
    try:
        yield executor
    finally:
        for record in executor.store.list():
            if not record.state.is_finished:
                executor.kill(record.run_id)
        wait_for(lambda: not any(is_held(record.folder / LOCK) for record in executor.store.list()))


def wait_for(condition: Callable[[], Found], seconds: float = _WITHIN_S) -> Found:
    """What a condition gives as soon as that is true.

    Raises:
        CompeconError: If it takes too long.
    """
    until = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > until:
            raise CompeconError(f"a run did not do what was waited for within {seconds:.0f} s.")
        time.sleep(_POLL_S)
    return found
