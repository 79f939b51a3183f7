"""A short name for the very rows of a split: a file of the same name may have changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from compecon.tasks.task import Split

if TYPE_CHECKING:
    from compecon.tasks.language_task import Document

_SHORT = 12


def rows_digest(part: Split | Sequence[Document]) -> str:
    """Twelve hexadecimal digits of a split's texts and targets, in their order.

    Args:
        part: Rows, or documents of a language task.
    """
    state = hashlib.sha256()
    for cell in _cells(part):
        raw = cell.encode("utf-8", errors="surrogatepass")
        state.update(len(raw).to_bytes(8, "little"))  # where a cell ends belongs to what it says
        state.update(raw)
    return state.hexdigest()[:_SHORT]


def _cells(part: Split | Sequence[Document]) -> Sequence[str]:
    if isinstance(part, Split):
        return (*part.all_texts, *map(str, part.targets.tolist()))
    return tuple(document.text for document in part)
