"""Folders of measured streams, one of which comes with compecon: which queries were right at which budget; no texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from compecon.allocation.streams.stream import Stream, read_stream
from compecon.errors import FileError, StreamError, did_you_mean
from compecon.files.safe_reader import MEGABYTE, read_json
from compecon.paths import assets

INDEX = "index.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_KEYS = ("name", "title", "unit", "told")
PREDICTED = "predicted.json"  # what allocating by predictions earned on each stream


@final
@dataclass(frozen=True)
class StreamEntry:
    """A stream in the list.

    Attributes:
        name: Name of the stream, and of its file without the ending.
        title: A line for people.
        unit: What budgets count: "keys" that each token may read, or "MACs" of one forward pass.
        description: How it was measured: checkpoint, task, rows, and what counts as correct.
        levels: What each level of every query is called, rising, such as the size of an elastic model; () if nothing.
    """

    name: str
    title: str
    unit: str
    description: str
    levels: tuple[str, ...] = ()


def streams_root() -> Path:
    """Folder of the bundled streams."""
    return assets() / "streams"


def list_streams(root: Path | None = None) -> tuple[StreamEntry, ...]:
    """The streams of a folder, in the order of its index; none without an index.

    Args:
        root: The folder; that of the bundled streams if None.

    Returns:
        Name, title, unit and description of each.

    Raises:
        StreamError: If the index is not one.

    Examples:
        >>> [entry.name for entry in list_streams()]
        ['sentiment-keys', 'sentiment-sizes', 'similarity-keys', 'similarity-sizes']
    """
    index = (root or streams_root()) / INDEX
    if not index.is_file():
        return ()
    try:
        entries = read_json(index, MEGABYTE)
        return tuple(_entry(each) for each in entries)
    except (FileError, TypeError, KeyError) as error:
        raise StreamError(f"{index} is not a list of streams ({error}). Measure its streams again.") from error


def _entry(fields: dict[str, Any]) -> StreamEntry:
    name, title, unit, told = (fields[key] for key in _KEYS)
    levels = fields.get("levels", [])
    require_stream_name(name)
    if not isinstance(levels, list) or not all(isinstance(each, str) for each in (title, unit, told, *levels)):
        raise TypeError(f"{name} is described by something that is no text")
    return StreamEntry(name, title, unit, told, tuple(levels))


def require_stream_name(name: str) -> None:
    """Refuse what cannot be the name of a stream and of its file.

    Raises:
        StreamError: If it is not 1 to 100 letters, digits, points, hyphens and underscores, a letter or digit first.
    """
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise StreamError(
            "a stream's name has 1 to 100 letters, digits, points, hyphens and underscores, the first of them a letter "
            f"or digit; got {str(name)[:60]!r}."
        )


def as_stream_name(text: str) -> str:
    """A name that a stream may have, made of other words."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:100]
    return plain or "stream"


def open_stream(name: str, root: Path | None = None) -> Stream:
    """A stream of a folder.

    Args:
        name: Name of an entry of `list_streams`.
        root: The folder; that of the bundled streams if None.

    Returns:
        The stream.

    Raises:
        StreamError: If there is no such stream.

    Examples:
        >>> stream = open_stream("sentiment-keys")
        >>> stream.unit, stream.levels.shape
        ('keys', (400, 6))
    """
    entries = {entry.name: entry for entry in list_streams(root)}
    if name not in entries:
        raise StreamError(
            f"there is no stream {name!r}.{did_you_mean(name, entries)} Choose from {', '.join(entries) or 'none'}."
        )
    return read_stream((root or streams_root()) / f"{name}.jsonl.gz", unit=entries[name].unit)
