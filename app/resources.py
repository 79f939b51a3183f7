"""What the whole server shares: read once, never changed by a page. Used by pages and by the canvas' routes alike.

Plain caches, not Streamlit's: routes answer outside of any script run.
"""

from __future__ import annotations

import time
from functools import cache, lru_cache

from compecon.checkpoints.catalog import CheckpointEntry, list_checkpoints
from compecon.paths import assets
from compecon.views.examples import Example, examples_for
from compecon.views.traces import read_index, read_trace

_FRESH_S = 10  # a folder of checkpoints may gain one while the server runs


def checkpoints() -> dict[str, CheckpointEntry]:
    """Every checkpoint that can be chosen: bundled, in the user's folders, in the Hub's cache.

    Returns:
        What ``load_checkpoint`` takes (a bundled name or a folder) to what is known of it.
    """
    return _checkpoints(int(time.monotonic() // _FRESH_S))


def forget_checkpoints() -> None:
    """Look at the disk again at the next question."""
    _checkpoints.cache_clear()


@lru_cache(maxsize=1)
def _checkpoints(_period: int) -> dict[str, CheckpointEntry]:
    return {e.name if e.origin == "bundled" else str(e.path): e for e in list_checkpoints()}


def bundled_examples(checkpoint: str) -> tuple[Example, ...]:
    """Good texts for a checkpoint."""
    entry = checkpoints().get(checkpoint)
    return _examples(checkpoint, entry.task if entry else "")


@cache
def _examples(checkpoint: str, task: str) -> tuple[Example, ...]:
    return examples_for(checkpoint, task)


@cache
def trace_names() -> frozenset[str]:
    """Names of the recorded streams."""
    return frozenset(read_index())


@lru_cache(maxsize=32)
def recorded_trace(name: str) -> bytes | None:
    """A recorded stream."""
    return read_trace(name)


@cache
def canvas_part(file: str) -> str:
    """Markup or style of the live canvas."""
    return (assets() / "canvas" / file).read_text(encoding="utf-8")
