"""What a column of labels means: names of classes, or scores."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

from compecon.errors import TaskError
from compecon.tasks.cells import TableRow
from compecon.tasks.metrics import Metric, accuracy, matthews, pearson, spearman
from compecon.tasks.task import Kind

_MOST_CLASSES = 1000
_WHOLE = re.compile(r"[+-]?[0-9]+")


@final
@dataclass(frozen=True)
class Meaning:
    """How labels are read.

    Attributes:
        kind: Classes or scores.
        labels: Class names by index, or the name of the score.
        metrics: Accuracy and Matthews' coefficient, or the correlations.
    """

    kind: Kind
    labels: tuple[str, ...]
    metrics: tuple[Metric, ...]

    def target(self, row: TableRow) -> float:
        """Class index or score of a row."""
        return float(row.label) if self.kind == "regression" else self.labels.index(row.label)


def meaning_of(
    rows: Sequence[TableRow], column: str, kind: Literal["auto", "classification", "regression"] = "auto"
) -> Meaning:
    """Read off the rows what their labels are.

    Args:
        rows: All rows of all splits, at least one.
        column: What the column of the labels is called; names a score.
        kind: As of `read_table`.

    Raises:
        TaskError: If labels are of mixed kinds, are not finite where they should be scores, are all the same, or are
            nearly all different where they should be classes; or if the kind is unknown.
    """
    if kind not in ("auto", "classification", "regression"):
        raise TaskError(f"kind must be auto, classification or regression, got {kind!r}.")
    names = {row.label for row in rows}
    if len(names) < 2:
        raise TaskError(f"all {len(rows)} rows have the {column} {rows[0].label!r}: there is nothing to tell apart.")
    if kind == "regression" or (kind == "auto" and _are_scores(rows, names, column)):
        _require_numbers(rows, column)
        return Meaning("regression", (column,), (spearman, pearson))
    if len(names) > min(_MOST_CLASSES, len(rows) // 2):
        raise TaskError(
            f"{column} has {len(names):,} different values in {len(rows):,} rows, too many for classes. "
            "Take another column, or read it as scores (kind regression)."
        )
    return Meaning("classification", tuple(_sorted(names)), (accuracy, matthews))


def _are_scores(rows: Sequence[TableRow], names: set[str], column: str) -> bool:
    numbers = {name for name in names if _number(name)}
    if numbers and numbers != names:
        odd = next(row for row in rows if row.label not in numbers)
        raise TaskError(
            f"{column} holds numbers and words, the first word {odd.label[:40]!r} in {odd.where}. Mend the column, or "
            "read all of it as class names (kind classification)."
        )
    return bool(numbers) and not all(map(_WHOLE.fullmatch, names))


def _require_numbers(rows: Sequence[TableRow], column: str) -> None:
    for row in rows:
        if not _number(row.label):
            raise TaskError(f"{row.where}: {column} is {row.label[:40]!r}, expected a finite number.")


def _sorted(names: set[str]) -> list[str]:
    """As numbers if all are whole numbers, else as texts."""
    if all(map(_WHOLE.fullmatch, names)):
        return sorted(names, key=lambda name: (int(name), name))
    return sorted(names)


def _number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
