"""Values from files that anyone may have changed: one of the kind that is shown, or none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def number(values: Any, *path: str) -> float | None:
    """A finite number under a path of names, or None."""
    found = _at(values, path)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        return float(found) if math.isfinite(found) else None
    except OverflowError:  # a whole number of hundreds of digits
        return None


def text(values: Any, *path: str) -> str:
    """A text under a path of names, or ""."""
    found = _at(values, path)
    return found if isinstance(found, str) else ""


def flag(values: Any, *path: str) -> bool | None:
    """A truth value under a path of names, or None."""
    found = _at(values, path)
    return found if isinstance(found, bool) else None


def few(names: Sequence[str], most: int = 8) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(values, Mapping):
            return None
        values = values.get(name)
    return values
