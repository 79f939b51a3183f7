"""A short name for the very rows of a split: a file of the same name may have changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from compecon.tasks.task import Split, Task

if TYPE_CHECKING:
    from compecon.tasks.language_task import Document
    from compecon.tasks.task_registry import AnyTask

_SHORT = 12


def rows_digest(part: Split | Sequence[Document], order: Sequence[str] = ()) -> str:
    """Twelve hexadecimal digits of a split's texts and targets, in their order.

    Args:
        part: Rows, or documents of a language task.
        order: What class 0, 1, ... are called, where a person has said so (see `stated_order`): the same numbers then
            mean something else by other names.
    """
    state = hashlib.sha256()
    for cell in (*_cells(part), *order):
        raw = cell.encode("utf-8", errors="surrogatepass")
        state.update(len(raw).to_bytes(8, "little"))  # where a cell ends belongs to what it says
        state.update(raw)
    return state.hexdigest()[:_SHORT]


def stated_order(task: AnyTask) -> tuple[str, ...]:
    """What class 0, 1, ... of a task are called, if a person has said so; else nothing."""
    return task.labels if isinstance(task, Task) and task.stated else ()


def _cells(part: Split | Sequence[Document]) -> Sequence[str]:
    if isinstance(part, Split):
        return (*part.all_texts, *map(str, part.targets.tolist()))
    return tuple(document.text for document in part)
