"""Files of measurements that other runs write too: read with care, and again only once they have changed. No torch."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

_LOG = logging.getLogger(__name__)
Read = TypeVar("Read")


def read_kept(path: Path, read: Callable[[Any], Read], max_bytes: int) -> tuple[Read, ...]:
    """What a file holds; what is missing, too large or damaged is left out, and that is logged.

    Args:
        path: A JSON file, or one with a JSON value a line if its name ends in ".jsonl".
        read: Makes something of a JSON value; raises ValueError, TypeError or KeyError for what is none.
        max_bytes: Larger files are not read.
    """
    try:
        if not path.is_file():
            return ()
        if path.stat().st_size > max_bytes:
            raise ValueError(f"it has more than {max_bytes:,} bytes.")
        content = path.read_text(encoding="utf-8")
        return tuple(
            read(json.loads(part)) for part in (content.splitlines() if path.suffix == ".jsonl" else [content])
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        _LOG.warning("%s was left out: %s", path.name, error)
        return ()
