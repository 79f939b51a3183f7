"""How a form's task was understood, before anything is started: read once until a file changes."""

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
    """What is known of a task.

    Attributes:
        lines: How it was understood, for people.
        problem: Why it cannot be worked on, or "".
        doubt: Why nobody knows which class is which output; None if it is known.
        may_begin: Whether it can be started all the same.
    """

    lines: tuple[str, ...] = ()
    problem: str = ""
    doubt: LabelDoubtError | None = None
    may_begin: bool = True


def look_at(recipe: str, params: Mapping[str, Any]) -> TaskLook:
    """Look at the task and the checkpoint of a form: at local files whole, at other tasks by what is known of them.

    Args:
        recipe: Name of what is to be started.
        params: Its checked values.
    """
    said = tuple((name, params[name]) for name in _NAMES if params.get(name) is not None)
    task = str(params.get("task", ""))
    try:
        files = _files(task, params.get("data"))
        n_bytes = sum(path.stat().st_size for path in files)
        if task.startswith(FILES) and n_bytes > _MOST_BYTES:
            return TaskLook(
                (
                    (
                        f"{n_bytes / 1e6:,.0f} MB will be read when the run starts; compecon "
                        f"{recipe} --dry-run reads them now."
                    ),
                )
            )
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
    """What is read of a task of local files, and looked for in a data folder."""
    if not task.startswith(FILES):
        entry = TASKS.get(task.partition("?")[0])
        return (
            entry.layout.found(Path(data).expanduser())
            if data and entry is not None and entry.layout is not None
            else ()
        )
    path = Path(options_of(task)[0])
    if not path.is_dir():
        return (path,)
    return tuple(sorted(each for each in path.iterdir() if each.is_file()))
