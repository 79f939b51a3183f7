"""Results in folders that other runs write too: read with care, and again only once a file has changed. No torch.

A result is a JSON file of its own, so that runs that write at the same time cannot lose each other's; those that come
with compecon may be lines of one file.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from compecon.errors import FileError, NewerError
from compecon.files.durable import write_text
from compecon.files.safe_reader import parse_json, read_bytes, read_text, sentence_of, shown
from compecon.files.schema import check_beginning
from compecon.paths import file_stamp

MAX_BYTES = 100_000_000  # of a file that is looked up
MAX_FILE_BYTES = 20_000_000  # of one that is listed with all others
_LOG = logging.getLogger(__name__)
Read = TypeVar("Read")


class Key(Protocol):
    """What was measured; equal keys have equal results."""

    @property
    def file_name(self) -> str:
        """Name of the result's file."""


class Result(Protocol):
    """Something that was measured."""

    @property
    def key(self) -> Key:
        """What was measured."""

    def written(self) -> dict[str, Any]:
        """JSON values, the schema among them."""


Stored = TypeVar("Stored", bound=Result)


class ResultStore(Generic[Stored]):
    """Results of one kind: the user's in a folder, and those that come with compecon.

    Args:
        folder: The user's; need not exist. None to store nothing.
        bundled: A folder of such files, or a file with a result a line.
        read: Makes a result of JSON values; raises ValueError for anything else.
        schema: The newest version that is known.
    """

    def __init__(self, folder: Path | None, bundled: Path, read: Callable[[Any], Stored], schema: int) -> None:
        self._folder, self._bundled, self._read, self._schema = folder, bundled, read, schema

    def get(self, key: Key) -> Stored | None:
        """A result, or None if it was not measured yet."""
        bundled = self._bundled if self._bundled.suffix == ".jsonl" else self._bundled / self._name(key)
        for path in (*([self._folder / self._name(key)] if self._folder else []), bundled):
            for found in self._results(path, MAX_BYTES):
                if found.key == key:
                    return found
        return None

    def put(self, result: Stored) -> None:
        """Store a result; raises OSError if it cannot be written."""
        if self._folder is not None:
            keep(self._folder / self._name(result.key), result.written(), self._schema)

    def all(self) -> tuple[Stored, ...]:
        """Every result; what cannot be read is left out and logged."""
        return tuple({result.key: result for path in self._paths() for result in self._results(path)}.values())

    def _name(self, key: Key) -> str:
        """Path of a result's file within the folder; in a folder of its own it is left out of `all`."""
        return key.file_name

    def _paths(self) -> Iterator[Path]:
        for place in (self._bundled, self._folder):
            if place is not None:
                yield from [place] if place.suffix == ".jsonl" else sorted(place.glob("*.json"))

    def _results(self, path: Path, most_bytes: int = MAX_FILE_BYTES) -> tuple[Stored, ...]:
        return _cached(self._read, path, most_bytes, *file_stamp(path))


@lru_cache(maxsize=20_000)
def _cached(
    read: Callable[[Any], Stored], path: Path, most_bytes: int, _changed: int, _size: int
) -> tuple[Stored, ...]:
    return read_kept(path, read, most_bytes)


def file_name_of(key: Mapping[str, Any], words: str) -> str:
    """Name of a result's file, beginning with readable `words`, and unlike that of any other key."""
    readable = re.sub(r"[^A-Za-z0-9.-]+", "-", words)
    return f"{readable}-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:8]}.json"


def read_kept(path: Path, read: Callable[[Any], Read], most_bytes: int = MAX_FILE_BYTES) -> tuple[Read, ...]:
    """What a file holds; what is missing, too large or damaged is left out, and that is logged.

    A file whose name ends in ".jsonl" has a JSON value per line; a bad line alone is left out.
    """
    try:
        content = read_text(path, most_bytes)
    except FileNotFoundError:
        return ()
    except (OSError, FileError) as error:
        _LOG.warning("%s was left out: %s", shown(path.name), sentence_of(error))
        return ()
    found, is_lines = [], path.suffix == ".jsonl"
    for number, part in enumerate(content.split("\n") if is_lines else [content], start=1):
        name = f"{shown(path.name)}, line {number}" if is_lines else shown(path.name)
        try:
            if part.strip() or not is_lines:
                found.append(read(parse_json(part, name)))
        except Exception as error:  # noqa: BLE001 - of many files, one must not hide the others
            _LOG.warning("%s was left out: %s", name, sentence_of(error))
    return tuple(found)


def keep(path: Path, content: Mapping[str, Any], schema: int) -> None:
    """Write a measurement, unless a newer compecon wrote one in its place: that is left alone, and logged.

    Its folder is made if it is not there. Raises OSError if it cannot be written.
    """
    try:
        check_beginning(read_bytes(path, MAX_BYTES), schema, shown(path))
    except NewerError as error:
        _LOG.warning("%s", error)
        return
    except (OSError, FileError):
        pass  # there is none, or none that is worth anything
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    write_text(path, f"{text}\n")
