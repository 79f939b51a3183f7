"""Texts that a foreign tokenizer reads before it is used: what its own rules react to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_MOST_PROBES = 200
_PROBES = (
    "The cat sat on the mat; it wasn't 3.14159 metres long!",
    "Ünïcödé, 漢字, 😀 and\ttabs\n\nlines",
    "a" * 2000 + "!",
    "1" * 500 + " " * 500 + "-" * 500,
    "".join(map(chr, range(32, 127))) * 4,
)


def probes_of(folder: Path) -> Iterator[str]:
    """Ordinary texts and long runs, then each literal and each character of a pattern in a folder's tokenizer.json."""
    yield from _PROBES
    path = folder / "tokenizer.json"
    if not path.is_file():
        return
    literals: dict[str, None] = {}
    for key, value in _strings(json.loads(path.read_text(encoding="utf-8")), depth=0):
        if key == "String":
            literals[value[:50]] = None
        elif key == "Regex":
            literals |= dict.fromkeys(character for character in value[:2000] if not character.isspace())
    for literal in list(literals)[:_MOST_PROBES]:
        yield literal * 10
        yield literal * 300 + "!"
        yield literal * 300 + "☃"  # an end that hardly any pattern expects, so that it looks for another way to match


def _strings(value: Any, depth: int) -> Iterator[tuple[str, str]]:
    """Strings under a key, anywhere but in the vocabulary, which is large and no program."""
    if depth > 30:
        return
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        if isinstance(item, str):
            yield str(key), item
        elif key not in ("model", "added_tokens"):
            yield from _strings(item, depth + 1)
