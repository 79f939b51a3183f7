"""Addresses that name what earlier versions bundled. Loads no Streamlit."""

from __future__ import annotations

from collections.abc import Mapping

from app.state.compare_choice import BETWEEN
from compecon.checkpoints.successors import successor_of

_SIZES = {"checkpoint": "size", "a": "size_a", "b": "size_b"}  # parts of an address: a checkpoint, and its size
_POINT = "bundled/"  # what points of bundled checkpoints are called on the Frontier page


def renewed(params: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """An address with the names of today, and a sentence on each name that was replaced."""
    found, told = dict(params), dict[str, None]()
    for part, size in _SIZES.items():
        if new := successor_of(old := params.get(part, "")):
            found[part] = new.name
            if new.size < 1:
                found.setdefault(size, f"{new.size:g}")
            told[new.told(old)] = None
    if "table" in params:
        names = params["table"].split(BETWEEN)
        told |= dict.fromkeys(new.told(name) for name in names if (new := successor_of(name)))
        found["table"] = BETWEEN.join(dict.fromkeys(new.name if (new := successor_of(n)) else n for n in names))
    if new := successor_of(old := params.get("chosen", "").removeprefix(_POINT)):
        found["chosen"] = f"{_POINT}{new.name}" + (f"@{new.size!r}" if new.size < 1 else "")
        told[new.told(old)] = None
    return found, tuple(told)
