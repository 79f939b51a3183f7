"""Metrics of a run as others read them: whole lines only, and each line once."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

_MOST_BYTES = 64_000_000  # read at a time


@final
@dataclass
class History:
    """A metrics file that is read on from where it was read to.

    Attributes:
        path: The file.
        steps: Steps by stage, in the order in which the stages began; each a list of records with "step" and more.
        events: Lines that are no steps.
        damaged: How many lines could not be read.
    """

    path: Path
    steps: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    damaged: int = 0
    _offset: int = 0
    _inode: int = 0

    def read_on(self) -> bool:
        """Take in what was written since; a file that was replaced is read again.

        Returns:
            Whether there was anything new.
        """
        try:
            with self.path.open("rb") as stream:
                found = os.fstat(stream.fileno())
                if found.st_ino != self._inode or found.st_size < self._offset:
                    self._begin_again(found.st_ino)
                stream.seek(self._offset)
                raw = stream.read(_MOST_BYTES)
        except OSError:
            return False
        whole = raw[: raw.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            self._take(line)
        return bool(whole)

    @property
    def n_steps(self) -> int:
        """Steps of all stages."""
        return sum(map(len, self.steps.values()))

    def _begin_again(self, inode: int) -> None:
        self._offset, self._inode, self.damaged = 0, inode, 0
        self.steps.clear()
        self.events.clear()

    def _take(self, line: bytes) -> None:
        try:
            value = json.loads(line)
            if "event" in value:
                self.events.append(value)
            else:
                self.steps.setdefault(str(value["stage"]), []).append({**value, "step": int(value["step"])})
        except (ValueError, KeyError, TypeError, RecursionError):
            self.damaged += 1
