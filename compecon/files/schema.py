"""Versions of the files that compecon keeps: what a newer compecon wrote is left alone.

Within a version, files may get further entries: unknown ones are kept. A file without a version is of the first one.
Writers put the version first, so that it can be read even from a file that breaks off.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from compecon.errors import CompeconError, FileError, NewerError

_FIRST = 1
_BEGINNING = re.compile(rb'\s*\{\s*"schema"\s*:\s*(\d{1,9})')


def check_schema(value: Mapping[str, Any], newest: int, name: str, *, error: type[CompeconError] = FileError) -> None:
    """Make sure that this compecon knows the version of a file's content; `newest` is the newest one that it knows.

    Raises:
        NewerError: If the version is a later one.
        CompeconError: Of the type `error`, if it is not a version.
    """
    said = value.get("schema", _FIRST)
    if type(said) is not int or said < _FIRST:
        raise error(f"{name} is damaged: its schema is {str(said)[:60]!r}.")
    _check(said, newest, name)


def check_beginning(raw: bytes, newest: int, name: str) -> None:
    """The same for a file that breaks off and is not JSON: NewerError if it begins as one of a later version."""
    if found := _BEGINNING.match(raw):
        _check(int(found[1]), newest, name)


def _check(said: int, newest: int, name: str) -> None:
    if said > newest:
        raise NewerError(
            f"{name} was written by a newer compecon (schema {said}, this one knows {newest}) and is left alone. "
            "Update compecon to use it."
        )
