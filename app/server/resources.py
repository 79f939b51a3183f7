"""What the whole server shares: read once, never changed by a page. Used by pages and by the canvas' routes alike.

Plain caches, not Streamlit's: routes answer outside of any script run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from app.server.run_listing import Listing
from compecon.checkpoints.catalog import CheckpointEntry, list_checkpoints
from compecon.files.safe_reader import valid_text
from compecon.paths import assets
from compecon.runs.executors.choice import open_store
from compecon.runs.home import Home
from compecon.runs.run_record import RunRecord, RunState
from compecon.views.attention.example_texts import Example, examples_for

if TYPE_CHECKING:
    from compecon.runs.store import RunStore

_FRESH_S = 10  # a folder of checkpoints may gain one while the server runs
_looking = threading.Lock()  # of many pages, one looks at the disk


def checkpoints() -> dict[str, CheckpointEntry]:
    """Every checkpoint that can be chosen: bundled, made by runs, in the user's folders, in the Hub's cache.

    Returns:
        What ``load_checkpoint`` takes (a bundled name or a folder) to what is known of it.
    """
    with _looking:
        return _checkpoints(int(time.monotonic() // _FRESH_S), str(Home.default().root))


def forget_checkpoints() -> None:
    """Look at the disk again at the next question."""
    _checkpoints.cache_clear()


@lru_cache(maxsize=1)
def _checkpoints(_period: int, _home: str) -> dict[str, CheckpointEntry]:
    made = {str(folder): title for folder, title in _made_by_runs()}
    found = list_checkpoints([Path(folder).parent for folder in made])
    named = {e.name if e.origin == "bundled" else valid_text(str(e.path)): e for e in found}
    return {name: replace(e, title=made[name]) if name in made else e for name, e in named.items()}


def _made_by_runs() -> Sequence[tuple[Path, str]]:
    """Checkpoints made by runs, newest first, with the runs' titles."""
    done = ((record.checkpoint, record.title) for record in runs() if record.state is RunState.SUCCEEDED)
    return [(folder, title) for folder, title in done if folder is not None]


def bundled_examples(checkpoint: str) -> tuple[Example, ...]:
    """Good texts for a checkpoint."""
    entry = checkpoints().get(checkpoint)
    return _examples(checkpoint, entry.task if entry else "")


@cache
def _examples(checkpoint: str, task: str) -> tuple[Example, ...]:
    return examples_for(checkpoint, task)


@cache
def canvas_part(file: str, folder: str = "canvas") -> str:
    """Markup or style of a live canvas."""
    return (assets() / folder / file).read_text(encoding="utf-8")


def run_store() -> RunStore:
    """The runs of this user."""
    return _store(Home.default())


@lru_cache(maxsize=4)
def _store(home: Home) -> RunStore:
    return open_store(home)


def runs() -> tuple[RunRecord, ...]:
    """Every run as it is now, newest first."""
    return _listing(Home.default()).records()


@lru_cache(maxsize=4)
def _listing(home: Home) -> Listing:
    return Listing(_store(home))
