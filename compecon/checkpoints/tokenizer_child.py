"""The child's side of a tokenizer's trial: ``python -m compecon.checkpoints.tokenizer_child <folder>``.

It loads the tokenizer as the parent would and encodes texts made of what the tokenizer's own rules react to, under
limits on time and memory. That stops what explodes on loading or on such texts; it proves nothing about every text
that a person may type.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from transformers import AutoTokenizer

from compecon.checkpoints.panics import panics_as_errors, reason

_CPU_SECONDS = 15  # for loading and encoding, beyond what the imports took
_BYTES = 2 << 30  # likewise
_MOST_TOKENS = 50_000  # more than this for a probe of a few thousand characters is an explosion
_MOST_PROBES = 200
_PROBES = (
    "The cat sat on the mat; it wasn't 3.14159 metres long!",
    "Ünïcödé, 漢字, 😀 and\ttabs\n\nlines",
    "a" * 2000 + "!",
    "1" * 500 + " " * 500 + "-" * 500,
    "".join(map(chr, range(32, 127))) * 4,
)


def main(folder: Path) -> None:
    """Load and try the tokenizer of a folder; ends with an exception or a signal if it is not to be trusted."""
    _limit_resources()
    with panics_as_errors():
        tokenizer = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
        for probe in (*_PROBES, *_own_probes(folder)):
            tokens = len(tokenizer(probe, truncation=False, padding=False, verbose=False)["input_ids"])
            if tokens > _MOST_TOKENS:
                raise ValueError(f"it makes {tokens:,} tokens of {len(probe):,} characters")


def _limit_resources() -> None:
    """Bound time and memory from here on, as far as the platform can; the parent's time-out holds everywhere."""
    try:
        resource = importlib.import_module("resource")
    except ImportError:  # Windows
        return
    process = psutil.Process()
    seconds = sum(process.cpu_times()[:2])
    for kind, most in (
        (resource.RLIMIT_CPU, int(seconds) + _CPU_SECONDS),
        (resource.RLIMIT_AS, process.memory_info().vms + _BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))
        except (ValueError, OSError):  # macOS accepts no limit on memory
            continue


def _own_probes(folder: Path) -> Iterator[str]:
    """Texts that set off the tokenizer's own patterns: each literal, and long runs of each character of a regex."""
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


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except Exception as error:  # noqa: BLE001 - the parent reads one line, not a traceback
        sys.exit(reason(error))
