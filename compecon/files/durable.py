"""Small files that other processes read while they are written: replaced as a whole, or appended a line at a time."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from compecon.errors import RunError
from compecon.files.safe_reader import open_file, parse_object, read_bytes, shown
from compecon.files.schema import check_beginning, check_schema

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
MAX_JSON_BYTES = 1_000_000
PART = ".part"  # ends the name of what is being written; an interruption may leave it behind
_PATIENCE_S = 2.0


def write_json(path: Path, value: Mapping[str, Any], *, durable: bool = True) -> None:
    """Replace a file by a JSON object in one step: a reader sees the old one or the new one, never half of one.

    Raises:
        OSError: If it cannot be written; the old file is then still there.
        ValueError: If a number is not finite.
    """
    text = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False)
    replace_file(path, f"{text}\n".encode("utf-8", errors="replace"), durable=durable)


def write_text(path: Path, text: str) -> None:
    """Replace a text file in one step and durably, also where several processes write it at the same time."""
    replace_file(path, text.encode("utf-8"), shared=True)


def replace_file(path: Path, raw: bytes, *, durable: bool = True, shared: bool = False) -> None:
    """Replace a file in one step; its folder exists.

    A `durable` file outlives a power cut that comes right after; a `shared` one may be written by another process at
    the same time, as by those of one training.

    Raises:
        OSError: If it cannot be written; the old file is then still there.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}{PART}" if shared else f".{path.name}{PART}")
    try:
        with part.open("wb") as stream:
            stream.write(raw)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        _put_in_place(part, path)
    except BaseException:
        with suppress(OSError):  # what was raised first is what counts
            part.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def _put_in_place(part: Path, path: Path) -> None:
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            part.replace(path)
        except PermissionError:  # Windows: someone is reading the old one
            if os.name != "nt" or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def flush_file(path: Path) -> None:
    """Make what was written to a file durable."""
    with path.open("r+b") as stream:  # Windows flushes only what is open for writing
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; Windows does so by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_json(path: Path, newest: int | None = None) -> dict[str, Any]:
    """Read an object from a file that anyone may have changed; `newest` is the newest version of it that is known.

    Raises:
        FileNotFoundError: If there is none.
        NewerError: If it is of a later version, whole or not.
        RunError: If it is not a regular file with one JSON object of less than 1 MB.
    """
    raw = read_bytes(path, MAX_JSON_BYTES, error=RunError)
    try:
        value = parse_object(raw, shown(path), error=RunError)
    except RunError:
        if newest is not None:
            check_beginning(raw, newest, shown(path))
        raise
    if newest is not None:
        check_schema(value, newest, shown(path), error=RunError)
    return value


def plain(value: Any) -> Any:
    """A value as JSON holds it: names and paths as text, tuples as lists, None for numbers that are not finite."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, Path):
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def whole_lines(raw: bytes) -> bytes:
    """What has been written to its end: everything up to the last newline."""
    return raw[: raw.rfind(b"\n") + 1]


def tail(path: Path, max_bytes: int = 65_536) -> str:
    """The last `max_bytes` of a text file, from the beginning of a line; "" if there is none."""
    try:
        with open_file(path, error=RunError) as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - max_bytes))
            raw = stream.read(max_bytes)
    except (OSError, RunError):
        return ""
    if size > max_bytes:
        raw = raw[raw.find(b"\n") + 1 :]
    return raw.decode("utf-8", errors="replace")
