"""Which rows two checkpoints were measured on, and what their texts are where they are at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from compecon.errors import TaskError
from compecon.evaluation.row_records import RowStatistics, StatisticsKey
from compecon.evaluation.row_store import Text
from compecon.tasks.rows_fingerprint import rows_digest
from compecon.tasks.task import Split, Task
from compecon.tasks.task_registry import FILES, read_task

_SYNTHETIC = "synthetic"  # part of such a task's name


@final
@dataclass(frozen=True)
class RowSet:
    """Rows that A, B or both were measured on, with what was measured; None if nothing was."""

    a: RowStatistics | None
    b: RowStatistics | None

    @property
    def either(self) -> RowStatistics:
        """One of the two."""
        return next(each for each in (self.a, self.b) if each is not None)

    @property
    def both(self) -> tuple[RowStatistics, RowStatistics] | None:
        """What was measured of A and of B; None as long as one is missing."""
        return None if self.a is None or self.b is None else (self.a, self.b)

    @property
    def name(self) -> str:
        """What it is called in the page's state: the same rows, the same name."""
        key = self.either.key
        budgets = "-".join(map(str, key.budgets))
        return f"{key.task} {key.split} {key.rows_digest} {key.max_tokens} {budgets}"

    @property
    def title(self) -> str:
        """A line for people."""
        found = self.either
        extra = "" if found.key.max_tokens == 128 else f", at most {found.key.max_tokens} tokens"
        return f"{found.key.task} · {found.key.split} · {len(found.rows)} rows{extra}"


def row_sets(found: Iterable[RowStatistics], digest_a: str, digest_b: str) -> tuple[RowSet, ...]:
    """The rows that A or B, by their digests, was measured on: those of both first, synthetic ones last.

    Of several statistics of the same rows, the first is taken.
    """
    held: dict[tuple[object, ...], dict[str, RowStatistics]] = {}
    for each in found:
        if each.key.digest in (digest_a, digest_b):
            held.setdefault(each.key.same_rows, {}).setdefault(each.key.digest, each)
    sets = [RowSet(each.get(digest_a), each.get(digest_b)) for each in held.values()]
    return tuple(sorted(sets, key=lambda each: (each.both is None, _SYNTHETIC in each.title)))


def measured_by(sets: Iterable[RowSet], params: Mapping[str, Any]) -> RowSet | None:
    """The rows on which runs of statistics with these settings measured both; None if they have not."""
    named = str(params["task"]).partition("?")[0]
    task = Path(named).stem if named.startswith(FILES) else named
    asked = (task, params["split"], params["rows"], params["max_tokens"], tuple(params["budgets"]))

    def is_asked(key: StatisticsKey) -> bool:
        return (key.task.partition(" (")[0], key.split, key.n_rows, key.max_tokens, key.budgets) == asked

    return next((each for each in sets if each.both is not None and is_asked(each.either.key)), None)


def texts_of(found: RowStatistics, data: Path | None) -> tuple[Text, ...]:
    """The texts of the rows that were measured, read from the task's data folder.

    Raises:
        TaskError: If the task cannot be read there, or its rows are not those that were measured.
        OSError: If a file cannot be read.
    """
    task = read_task(found.key.task, data, offline=True)
    if not isinstance(task, Task):
        raise TaskError(f"{task.name} has no text rows.")
    part = task.part(found.key.split)
    if max(found.rows) >= len(part):
        raise TaskError(f"These rows are not the measured ones: there are only {len(part)}.")
    pairs = tuple(part.pairs[row] for row in found.rows) if part.pairs else ()
    few = Split(tuple(part.texts[row] for row in found.rows), pairs, part.targets[list(found.rows)])
    if rows_digest(few) != found.key.rows_digest:
        raise TaskError("These rows are not the measured ones: their texts or labels differ.")
    return tuple(zip(few.texts, few.pairs or ("",) * len(few), strict=True))
