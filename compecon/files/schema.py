"""Versions of the files that compecon keeps: what a newer compecon wrote is left alone by whoever comes across it.

Within a version, files may get further entries: those that are not known are kept. A file without a version is of the
first one. Writers put the version first, so that it can be told even of a file that breaks off.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from compecon.errors import CompeconError, FileError, NewerError

_FIRST = 1
_BEGINNING = re.compile(rb'\s*\{\s*"schema"\s*:\s*(\d{1,9})')


def check_schema(value: Mapping[str, Any], newest: int, name: str, *, error: type[CompeconError] = FileError) -> None:
    """Make sure that this compecon knows the version of what a file holds.

    Args:
        value: Its content.
        newest: The newest version that is known.
        name: What to call the file in messages.
        error: What to raise for a version that is none.

    Raises:
        NewerError: If the version is a later one.
        CompeconError: Of the type `error`, if it is no version.
    """
    said = value.get("schema", _FIRST)
    if type(said) is not int or said < _FIRST:
        raise error(f"{name} is damaged: its schema is {str(said)[:60]!r}.")
    _check(said, newest, name)


def check_beginning(raw: bytes, newest: int, name: str) -> None:
    """The same for a file that is no JSON, as when it breaks off, by how it begins.

    Raises:
        NewerError: If it begins as one of a later version.
    """
    if found := _BEGINNING.match(raw):
        _check(int(found[1]), newest, name)


def _check(said: int, newest: int, name: str) -> None:
    if said > newest:
        raise NewerError(
            f"{name} was written by a newer compecon (schema {said}, this one knows {newest}) and is left alone. "
            "Update compecon to use it."
        )
