"""How many rows a task has, where that can be told quickly without parsing them. Loads without torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, final

from compecon.tasks.task_registry import FILES, TASKS, read_task

_COUNTED = frozenset({".csv", ".tsv", ".txt", ".json", ".jsonl"})
_MOST_BYTES = 300_000_000  # read in a tenth of a second or two
_LEARNT_FROM = 0.8  # of a single file, the rest is measured on
_LETTERS_A_TOKEN = 4.5  # labels and tabs counted as letters
_FRAME = 2  # tokens that begin and end a text


@final
@dataclass(frozen=True)
class Rows:
    """About how many rows a task has."""

    train: int  # to learn from
    measured: int  # to measure on, of all other splits
    n_tokens: int  # length of a text in tokens


def count_rows(task: str, data: str | None) -> Rows | None:
    """Count the lines of a task's files, in its data folder if it has one.

    None where that is unknown before the data is read: from the Hub, of language, in other formats, or too large.
    """
    if task.startswith(FILES):
        return _of_files(Path(task.removeprefix(FILES).partition("?")[0]))
    task = task.partition("?")[0]
    if task in TASKS and TASKS[task].is_made:
        return _made(task)
    if data is None or task not in TASKS or TASKS[task].kind == "language":
        return None
    return _of_folder(Path(data) / task.partition("/")[0])


def _of_files(path: Path) -> Rows | None:
    if path.is_dir():
        return _of_folder(path)
    lines, size = _lines([path])
    if not lines:
        return None
    return Rows(round(_LEARNT_FROM * lines), lines - round(_LEARNT_FROM * lines), _length(size, lines))


def _of_folder(folder: Path) -> Rows | None:
    try:
        files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    except OSError:
        return None
    learnt = [path for path in files if "train" in path.name.lower()]
    lines, size = _lines(learnt)
    if not lines:
        return None
    return Rows(lines, _lines(path for path in files if path not in learnt)[0], _length(size, lines))


@lru_cache(maxsize=8)
def _made(task: str) -> Rows:
    """Of a task that this package makes, which takes part of a second once."""
    splits: Mapping[str, Any] = read_task(task).splits
    letters = sum(map(len, splits["train"].texts))
    rows = {name: len(part) for name, part in splits.items()}
    return Rows(rows["train"], sum(rows.values()) - rows["train"], _length(letters, rows["train"]))


def _length(size: int, lines: int) -> int:
    return round(size / lines / _LETTERS_A_TOKEN) + _FRAME


def _lines(paths: Iterable[Path]) -> tuple[int, int]:
    """Lines and bytes of files; none if one of them cannot be counted, or all are too large."""
    lines = size = 0
    for path in paths:
        try:
            about = path.stat()
            size += about.st_size
            if path.suffix.lower() not in _COUNTED or size > _MOST_BYTES:
                return 0, 0
            lines += _lines_of(path, about.st_size, about.st_mtime_ns)
        except OSError:
            return 0, 0
    return lines, size


@lru_cache(maxsize=64)
def _lines_of(path: Path, _size: int, _changed: int) -> int:
    """Lines of a file as it was at a time."""
    lines, last = 0, b"\n"
    with path.open("rb") as stream:
        while part := stream.read(1 << 20):
            lines, last = lines + part.count(b"\n"), part[-1:]
    return lines + (last != b"\n")
