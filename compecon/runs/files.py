"""Small files that other processes read while they are written: replaced as a whole, or appended a line at a time."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from compecon.errors import RunError

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
MAX_JSON_BYTES = 1_000_000


def write_json(path: Path, value: Mapping[str, Any], *, durable: bool = True) -> None:
    """Replace a file in one step: a reader sees the old object or the new one, never half of one.

    Args:
        path: The file; its folder exists.
        value: JSON values; a number that is not finite is refused.
        durable: Whether it has to outlive a power cut that comes right after.

    Raises:
        OSError: If it cannot be written; the old file is then still there.
        ValueError: If a number is not finite.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8") as stream:
            json.dump(value, stream, indent=1, allow_nan=False, ensure_ascii=False)
            stream.write("\n")
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; Windows does so by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_json(path: Path) -> dict[str, Any]:
    """Read an object from a file that anybody may have changed.

    Raises:
        FileNotFoundError: If there is none.
        RunError: If it is not a plain file with one JSON object of less than 1 MB.
    """
    with _opened(path) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise RunError(f"{path} is not a plain file. Remove it.")
        raw = stream.read(MAX_JSON_BYTES + 1)
    if len(raw) > MAX_JSON_BYTES:
        raise RunError(f"{path} has more than {MAX_JSON_BYTES:,} bytes, which no file of a run has.")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is damaged: it holds no JSON ({type(error).__name__}).") from error
    if not isinstance(value, dict):
        raise RunError(f"{path} is damaged: it holds a {type(value).__name__} where an object belongs.")
    return value


def _opened(path: Path) -> BinaryIO:
    """Open without waiting: a named pipe in the place of a file must not stop the reader for ever."""
    return os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb")


def whole_lines(raw: bytes) -> bytes:
    """What has been written to its end: everything up to the last newline."""
    return raw[: raw.rfind(b"\n") + 1]


def tail(path: Path, max_bytes: int = 65_536) -> str:
    """The end of a text file, from the beginning of a line; "" if there is none.

    Args:
        path: The file, of any size.
        max_bytes: How much of it at most.
    """
    try:
        with _opened(path) as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - max_bytes))
            raw = stream.read(max_bytes)
    except OSError:
        return ""
    if size > max_bytes:
        raw = raw[raw.find(b"\n") + 1 :]
    return raw.decode("utf-8", errors="replace")
