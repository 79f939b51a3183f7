"""The measured streams that come with compecon: which queries were answered correctly at which budget; no texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

from compecon.allocation.streams.stream import Stream, read_stream
from compecon.errors import StreamError, did_you_mean
from compecon.files.safe_reader import MEGABYTE, read_json
from compecon.paths import assets

INDEX = "index.json"
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
    """

    name: str
    title: str
    unit: str
    description: str


def streams_root() -> Path:
    """Folder of the bundled streams."""
    return assets() / "streams"


def list_streams(root: Path | None = None) -> tuple[StreamEntry, ...]:
    """The streams of a folder, in the order of its index; none without an index.

    Args:
        root: The folder; that of the bundled streams if None.

    Returns:
        Name, title, unit and description of each.

    Examples:
        >>> [entry.name for entry in list_streams()]
        ['sentiment-keys', 'sentiment-sizes', 'similarity-keys', 'similarity-sizes']
    """
    index = (root or streams_root()) / INDEX
    if not index.is_file():
        return ()
    entries: list[dict[str, str]] = read_json(index, MEGABYTE)
    return tuple(StreamEntry(each["name"], each["title"], each["unit"], each["told"]) for each in entries)


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
