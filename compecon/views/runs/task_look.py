"""How the task of a form was understood, before anything is started: read once until a file changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, final

from compecon.errors import CompeconError
from compecon.paths import file_stamp
from compecon.tasks.labels import LabelDoubtError
from compecon.tasks.task_registry import FILES, TASKS, options_of
from compecon.tasks.understood_task import understood

_MOST_BYTES = 30_000_000  # read within a second or so
_NAMES = ("task", "data", "base", "checkpoint", "skip_bad_rows")  # settings that say what is worked on


@final
@dataclass(frozen=True)
class TaskLook:
    """What is known of a task."""

    lines: tuple[str, ...] = ()  # how it was understood, for people
    problem: str = ""  # why it cannot be worked on, or ""
    doubt: LabelDoubtError | None = None  # why it is unknown which class is which output; None if it is known
    may_begin: bool = True  # whether it can be started all the same


def look_at(recipe: str, params: Mapping[str, Any]) -> TaskLook:
    """Look at the task and the checkpoint of a recipe's checked values; local files are read, other tasks are not."""
    said = tuple((name, params[name]) for name in _NAMES if params.get(name) is not None)
    task = str(params.get("task", ""))
    try:
        files = _files(task, params.get("data"))
        n_bytes = sum(path.stat().st_size for path in files)
        if task.startswith(FILES) and n_bytes > _MOST_BYTES:
            later = f"{n_bytes / 1e6:,.0f} MB will be read when the run starts"
            return TaskLook((f"{later}; compecon {recipe} --dry-run reads them now.",))
        return _look(recipe, said, tuple(map(file_stamp, files)))
    except OSError as error:
        return TaskLook(problem=f"The files cannot be read: {error}.", may_begin=False)


@lru_cache(maxsize=16)
def _look(recipe: str, said: tuple[tuple[str, Any], ...], _stamps: tuple[tuple[int, int], ...]) -> TaskLook:
    try:
        found = understood(recipe, dict(said))
    except (CompeconError, FileNotFoundError) as error:
        return TaskLook(problem=str(error), may_begin=False)
    may_begin = found.may_begin or (found.doubt is None and not found.refused)
    return TaskLook(found.lines, found.refused, found.doubt, may_begin)


def _files(task: str, data: str | None) -> tuple[Path, ...]:
    """The files of a task: local files, or those of the task in the data folder."""
    if not task.startswith(FILES):
        entry = TASKS.get(task.partition("?")[0])
        layout = entry.layout if entry is not None and data else None
        return layout.found(Path(str(data)).expanduser()) if layout is not None else ()
    path = Path(options_of(task)[0])
    if not path.is_dir():
        return (path,)
    return tuple(sorted(each for each in path.iterdir() if each.is_file()))
