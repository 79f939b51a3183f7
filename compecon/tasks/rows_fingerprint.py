"""A short name for the exact rows of a split: a file of the same name may have changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from compecon.tasks.task import Split, Task

if TYPE_CHECKING:
    from compecon.tasks.language_task import Document
    from compecon.tasks.task_registry import AnyTask

_SHORT = 12


def rows_digest(part: Split | Sequence[Document], order: Sequence[str] = ()) -> str:
    """Twelve hexadecimal digits of a split's texts and targets, in their order.

    The names of class 0, 1, ... count too where a person has stated them (see `stated_order`): with other names the
    same numbers mean something else.
    """
    state = hashlib.sha256()
    if isinstance(part, Split):
        cells: Iterable[str] = chain(part.texts, part.pairs, map(str, part.targets.tolist()))
    else:
        cells = (document.text for document in part)
    for cell in chain(cells, order):
        raw = cell.encode("utf-8", errors="surrogatepass")
        state.update(len(raw).to_bytes(8, "little"))  # where a cell ends is part of the content
        state.update(raw)
    return state.hexdigest()[:_SHORT]


def stated_order(task: AnyTask) -> tuple[str, ...]:
    """Names of class 0, 1, ... of a task, if a person has stated them; else empty."""
    return task.labels if isinstance(task, Task) and task.stated else ()
