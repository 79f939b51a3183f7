"""Files of measurements that other runs write too: read with care, and again only once they have changed. No torch."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from compecon.errors import FileError, NewerError
from compecon.files.durable import write_text
from compecon.files.safe_reader import parse_json, read_bytes, read_text, sentence_of, shown
from compecon.files.schema import check_beginning

MAX_BYTES = 100_000_000
_LOG = logging.getLogger(__name__)
Read = TypeVar("Read")


def read_kept(path: Path, read: Callable[[Any], Read], max_bytes: int) -> tuple[Read, ...]:
    """What a file holds; what is missing, too large or damaged is left out, and that is logged.

    Args:
        path: A JSON file, or one with a JSON value a line if its name ends in ".jsonl"; a bad line is left out alone.
        read: Makes something of a JSON value; raises whatever it likes for what is none.
        max_bytes: Larger files are not read.
    """
    try:
        content = read_text(path, max_bytes)
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

    Args:
        path: The file; its folder is made if it is not there.
        content: JSON values, their version first.
        schema: The newest version that is known.

    Raises:
        OSError: If it cannot be written.
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
