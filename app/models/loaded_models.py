"""The checkpoints in memory, and their loading: one at a time, for as long as somebody waits for it."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, final

from app.models.watchdog import LOAD_S, Late, Watchdog
from compecon.errors import UnwantedError

if TYPE_CHECKING:
    from compecon.checkpoints.load import Checkpoint

MAX_MODELS, MAX_LARGE = 3, 2  # a Compare needs two, and another tab should not have to load its own again
SMALL = 250_000_000  # weights, 1 GB: as many models stay only as long as they have fewer together
Key = tuple[str, str]  # checkpoint and device


@final
class LoadedModels:
    """Loads checkpoints and keeps the two or three that were used last. Safe to call from any thread.

    Attributes:
        imports: Held while something is imported or loaded: two threads that import transformers at once find half of
            it.
        being_loaded: Name of the checkpoint that is being loaded, or "".

    Args:
        watchdog: Notices a load that never ends.
    """

    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog, self._lock = watchdog, threading.Lock()
        self.imports, self.being_loaded = threading.Lock(), ""
        self._asking: list[tuple[Key, Callable[[], bool]]] = []
        self._models: OrderedDict[Key, Checkpoint] = OrderedDict()

    def load(self, key: Key, wanted: Callable[[], bool], late: Late) -> Checkpoint:
        """The checkpoint on a device.

        Args:
            key: Which one, and where.
            wanted: Whether this caller still waits for it. A load goes on as long as any caller does.
            late: Called with a number of seconds if the load gave no sign of life for so long.

        Raises:
            CompeconError: If it is refused, with a sentence for a person.
            UnwantedError: If nobody waits any more.
        """
        if (found := self.get(key)) is not None:  # never behind another checkpoint that is being loaded
            return found
        with self.asking(key, wanted), self.imports:
            return self.get(key) or self._load(key, late)

    @contextmanager
    def asking(self, key: Key, wanted: Callable[[], bool]) -> Iterator[None]:
        """Somebody waits for a checkpoint, `wanted` says whether still: its load, whoever began it, goes on as long."""
        asked = (key, wanted)
        with self._lock:
            self._asking.append(asked)
        try:
            yield
        finally:
            with self._lock:
                self._asking.remove(asked)

    def get(self, key: Key) -> Checkpoint | None:
        """A checkpoint that is there."""
        with self._lock:
            if key in self._models:
                self._models.move_to_end(key)
            return self._models.get(key)

    def clear(self) -> int:
        """Drop all; returns how many there were."""
        with self._lock:
            n_models = len(self._models)
            self._models.clear()
        return n_models

    def _load(self, key: Key, late: Late) -> Checkpoint:
        from compecon.checkpoints.load import load_checkpoint  # noqa: PLC0415 - seconds

        _use_threads()
        if not self._is_asked(key):
            raise UnwantedError("Nobody waits for this checkpoint any more.")
        with self._lock:
            while len(self._models) >= self._most():
                self._models.popitem(last=False)
        self.being_loaded = key[0]
        try:
            with self._watchdog.step(LOAD_S, late) as step:
                made = load_checkpoint(*key, wanted=step.asking(lambda: self._is_asked(key)))
        finally:
            self.being_loaded = ""
        with self._lock:
            self._models[key] = made
        return made

    def _most(self) -> int:
        """How many may be there, the next one included."""
        weights = sum(each.preflight.parameters for each in self._models.values())
        return MAX_MODELS if weights < SMALL else MAX_LARGE

    def _is_asked(self, key: Key) -> bool:
        with self._lock:
            asking = [wanted for each, wanted in self._asking if each == key]
        return any(wanted() for wanted in asking)


def _use_threads() -> None:
    import torch  # noqa: PLC0415

    default = max(1, min(4, (os.cpu_count() or 2) // 2))  # pages and the browser need a core, too
    torch.set_num_threads(int(os.environ.get("COMPECON_THREADS", default)))
