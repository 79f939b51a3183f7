"""Metrics of a run as others read them: whole lines only, and each line once."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, final

from compecon.errors import RunError
from compecon.files.durable import whole_lines
from compecon.files.safe_reader import open_file
from compecon.runs.metrics_file import object_of

_MOST_BYTES = 64_000_000  # read at a time
_REMEMBERED = 256  # bytes: more than a line's part that could be in another one by chance


@final
@dataclass
class History:
    """A metrics file that is read incrementally."""

    path: Path
    # steps by stage, in the order in which the stages began
    steps: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)  # lines that are not steps
    damaged: int = 0  # number of lines that could not be read
    _offset: int = 0
    _inode: int = 0
    _last: bytes = b""

    def read_on(self) -> bool:
        """Read what was written since; a replaced file is read again. Returns whether anything was new."""
        try:
            with open_file(self.path, error=RunError) as stream:
                found = os.fstat(stream.fileno())
                if found.st_ino != self._inode or not self._goes_on(stream):
                    self._begin_again(found.st_ino)
                stream.seek(self._offset)
                raw = stream.read(_MOST_BYTES)
        except (OSError, RunError):
            return False
        whole = whole_lines(raw)
        self._offset += len(whole)
        self._last = whole[-_REMEMBERED:] or self._last
        for line in whole.splitlines():
            self._take(line)
        return bool(whole)

    @property
    def n_steps(self) -> int:
        """Number of steps in all stages."""
        return sum(map(len, self.steps.values()))

    def _goes_on(self, stream: BinaryIO) -> bool:
        """Whether what was read last is still there: inode numbers are reused."""
        stream.seek(self._offset - len(self._last))
        return stream.read(len(self._last)) == self._last

    def _begin_again(self, inode: int) -> None:
        self._offset, self._inode, self._last, self.damaged = 0, inode, b"", 0
        self.steps.clear()
        self.events.clear()

    def _take(self, line: bytes) -> None:
        try:
            value = object_of(line) or {}
            if "event" in value:
                self.events.append(value)
            else:
                self.steps.setdefault(str(value["stage"]), []).append({**value, "step": int(value["step"])})
        except (ValueError, KeyError, TypeError, OverflowError):
            self.damaged += 1
