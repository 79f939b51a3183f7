"""The metrics file of a run, as its only writer sees it: every step once, even after interruptions."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

from compecon.errors import RunError
from compecon.files.durable import replace_file, whole_lines
from compecon.files.safe_reader import parse_object, read_bytes
from compecon.runs.locks import FLAGS

MOST_BYTES = 1_000_000_000  # a line a step: millions of steps


@final
class MetricsFile:
    """A file of JSON lines that is appended to. A line that a dead worker left half written is cut off."""

    def __init__(self, path: Path) -> None:
        self.path = path
        _repair(path)
        self._descriptor = self._open()
        self._stages: set[str] = set()

    def step(self, stage: str, step: int, total: int, values: Mapping[str, float]) -> None:
        """Write a step. The first one of a stage replaces what a former attempt wrote from there on."""
        if stage not in self._stages:
            self._stages.add(stage)
            self._forget(stage, step)
        self._append({"stage": stage, "step": step, "total": total, **values})

    def event(self, value: Mapping[str, Any]) -> None:
        """Write a line that is not a step; it has an entry "event"."""
        self._append(value)

    def sync(self) -> None:
        """Make it durable."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | FLAGS, 0o644)

    def _append(self, value: Mapping[str, Any]) -> None:
        line = json.dumps({name: _plain(each) for name, each in value.items()}, ensure_ascii=False) + "\n"
        raw = line.encode()
        written = os.write(self._descriptor, raw)  # one call: a reader never sees two writers' lines mixed
        if written < len(raw):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def _forget(self, stage: str, step: int) -> None:
        """Drop the steps of a stage from a step on, and everything after that but events."""
        lines = read_bytes(self.path, MOST_BYTES, error=RunError).splitlines(keepends=True)
        first = next((n for n, line in enumerate(lines) if _is_from(line, stage, step)), None)
        if first is None:
            return
        kept = lines[:first] + [line for line in lines[first:] if b'"event"' in line]
        os.close(self._descriptor)  # Windows replaces no file that is open
        try:
            replace_file(self.path, b"".join(kept))
        finally:
            self._descriptor = self._open()


def _repair(path: Path) -> None:
    try:
        raw = read_bytes(path, MOST_BYTES, error=RunError)
    except FileNotFoundError:
        return
    whole = len(whole_lines(raw))
    if whole < len(raw):
        os.truncate(path, whole)


def object_of(line: bytes) -> dict[str, Any] | None:
    """The object of a line; None if it is damaged."""
    try:
        return parse_object(line, "a line")
    except (ValueError, RecursionError):
        return None


def _is_from(line: bytes, stage: str, step: int) -> bool:
    value = object_of(line)
    if value is None or "event" in value or value.get("stage") != stage:
        return False
    there = value.get("step")
    return isinstance(there, int) and there >= step


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
