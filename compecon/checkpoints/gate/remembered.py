"""What was found in a file, cached until the file changes: a list drawn every few seconds parses nothing twice."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sized
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar, final

from compecon.checkpoints.gate.folder_files import open_regular
from compecon.errors import CompeconError

Found = TypeVar("Found", bound=Sized)
_MOST = 1_000_000  # parts of all that one function keeps, such as tensors
_SETTLED_NS = 2_000_000_000  # what was changed this long ago cannot change again within the same tick of the clock


@final
class remembered(Generic[Found]):  # noqa: N801 - a decorator
    """Make a function of an open file and its name one of a resolved path, which reads each content once.

    A file is the same while its path, device, inode, size and times of change are. Refusals are cached like answers: a
    file that is costly to refuse costs it once. The least recently used is dropped first. Callers share an answer and
    must not change it.
    """

    def __init__(self, find: Callable[[BinaryIO, str], Found]) -> None:
        self._find = find
        self._kept: OrderedDict[tuple[object, ...], tuple[Found | None, CompeconError | None]] = OrderedDict()
        self._parts = 0
        self._lock = threading.Lock()  # held while a file is read, so that two pages do not read it at the same time

    def __call__(self, path: Path, name: str) -> Found:
        """The answer for a file, or the function's own CompeconError; CheckpointError if the file cannot be opened."""
        with self._lock, open_regular(path) as stream:
            about = os.fstat(stream.fileno())
            key = (path, name, about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
            if key in self._kept:
                self._kept.move_to_end(key)
            found, refusal = self._kept.get(key) or self._look(stream, name)
            if key not in self._kept and time.time_ns() - about.st_ctime_ns > _SETTLED_NS:
                self._keep(key, found, refusal)
        if refusal is not None:
            raise type(refusal)(str(refusal))  # a new one: an error that is raised again collects tracebacks
        assert found is not None  # noqa: S101 - for the type checker
        return found

    def _look(self, stream: BinaryIO, name: str) -> tuple[Found | None, CompeconError | None]:
        try:
            return self._find(stream, name), None
        except CompeconError as error:
            return None, error

    def _keep(self, key: tuple[object, ...], found: Found | None, refusal: CompeconError | None) -> None:
        self._kept[key] = found, refusal
        self._parts += _parts(found)
        while self._parts > _MOST and len(self._kept) > 1:
            _, (oldest, _) = self._kept.popitem(last=False)
            self._parts -= _parts(oldest)


def _parts(found: Sized | None) -> int:
    return 1 if found is None else 1 + len(found)
