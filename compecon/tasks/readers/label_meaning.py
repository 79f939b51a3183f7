"""What a column of labels means: names of classes, or scores."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

from compecon.errors import TaskError
from compecon.tasks.labels import plain
from compecon.tasks.readers.cells import TableRow
from compecon.tasks.task import Kind
from compecon.tasks.task_metrics import Metric, accuracy, matthews, pearson, spearman

AnyKind = Literal["auto", "classification", "regression"]
_MOST_CLASSES = 1000
_NAMED = 5  # rows or classes in a warning
_WHOLE = re.compile(r"([+-]?[0-9]+)(?:\.0*)?")  # pandas writes whole numbers beside a gap with ".0"
_NO_ANSWER = frozenset(
    {"n/a", "na", "null", "none", "nil", "-", "?", "unknown", "missing", "undefined", "<na>", "#n/a"}
)
_UNLABELLED = "-1"  # of rows without a label, in GLUE and in `datasets`


@final
@dataclass(frozen=True)
class Meaning:
    """How labels are read."""

    kind: Kind  # classes or scores
    labels: tuple[str, ...]  # class names by index, or the name of the score
    metrics: tuple[Metric, ...]  # accuracy and Matthews' coefficient, or the correlations
    index: Mapping[str, int]  # class index of each label as it is spelled; empty for scores
    notes: tuple[str, ...] = ()  # what may be wrong with the labels, a sentence each

    def target(self, row: TableRow) -> float:
        """Class index or score of a row."""
        return float(row.label) if self.kind == "regression" else self.index[row.label]


def unlabelled(splits: Mapping[str, Sequence[TableRow]], named: Sequence[str] = ()) -> frozenset[str]:
    """Which labels mean that there is none: the empty one always, and perhaps -1 or a word such as N/A.

    -1 does beside 0, 1, 2, ..., and where a split holds nothing else and no other split holds it. Words such as N/A do
    among numbers. Class names that a person has given (`named`) are never missing.
    """
    held = {name: {row.label for row in rows} - {""} for name, rows in splits.items()}
    known = {_whole(label) for labels in held.values() for label in labels}
    found = {""}
    others = known - {_UNLABELLED}
    counted = len(others) > 2 and others == {str(number) for number in range(len(others))}
    alone = [name for name, labels in held.items() if labels and {_whole(each) for each in labels} == {_UNLABELLED}]
    elsewhere = any(_UNLABELLED in map(_whole, labels) for name, labels in held.items() if name not in alone)
    if _UNLABELLED not in named and others and (counted or (alone and not elsewhere)):
        found |= {each for labels in held.values() for each in labels if _whole(each) == _UNLABELLED}
    words = {each for labels in held.values() for each in labels if not _number(each)}
    if words and words != set().union(*held.values()) and all(word.lower() in _NO_ANSWER for word in words):
        found |= words - set(named)
    return frozenset(found)


def meaning_of(rows: Sequence[TableRow], column: str, kind: AnyKind = "auto", named: Sequence[str] = ()) -> Meaning:
    """Read off all rows of all splits, at least one and each with a label, what their labels are.

    `column` names a score, `kind` is as of `read_table`, and `named` are the names of class 0, 1, ... if they are
    given.

    Raises:
        TaskError: If labels are of mixed kinds, are not finite where they should be scores, are all the same, are
            nearly all different where they should be classes, or none of the names; or if the kind is unknown.
    """
    if kind not in ("auto", "classification", "regression"):
        raise TaskError(f"kind must be auto, classification or regression, got {kind!r}.")
    spelled = Counter(row.label for row in rows)
    if len(spelled) < 2 and not named:
        raise TaskError(f"all {len(rows)} rows have the {column} {rows[0].label!r}: there is nothing to tell apart.")
    if named:
        index = _by_name(rows, column, spelled, named)
        return Meaning("classification", tuple(named), (accuracy, matthews), index, tuple(_doubts(rows, index, named)))
    if kind == "regression" or (kind == "auto" and _are_scores(rows, spelled, column)):
        if odd := next((row for row in rows if not _number(row.label)), None):
            raise TaskError(f"{odd.where}: {column} is {odd.label[:40]!r}, expected a finite number.")
        return Meaning("regression", (column,), (spearman, pearson), {})
    names = _merged(spelled)
    labels = tuple(_sorted(set(names.values())))
    if len(labels) > min(_MOST_CLASSES, len(rows) // 2):
        raise TaskError(
            f"{column} has {len(labels):,} different values in {len(rows):,} rows, too many for classes. "
            "Use another column, or read it as scores (kind=regression)."
        )
    if len(labels) < 2:
        raise TaskError(f"all {len(rows)} rows have the {column} {labels[0]!r}: there is nothing to tell apart.")
    index = {label: labels.index(name) for label, name in names.items()}
    notes = (*_respelled(names, spelled), *_doubts(rows, index, labels))
    return Meaning("classification", labels, (accuracy, matthews), index, notes)


def _by_name(rows: Sequence[TableRow], column: str, spelled: Iterable[str], named: Sequence[str]) -> dict[str, int]:
    """Index of each label among names that were given: itself, a name but for case and blanks, or a number."""
    known = {plain(name): place for place, name in enumerate(named)}
    if len(known) < len(named) or len(named) < 2:
        raise TaskError(f"labels={','.join(named)} must be two names or more, each of another class.")
    index = {label: named.index(label) if label in named else known.get(plain(label), -1) for label in spelled}
    if any(place < 0 for place in index.values()):
        numbers = _in_order(index, len(named))
        index = {label: numbers.get(label, place) if place < 0 else place for label, place in index.items()}
    odd = next((row for row in rows if index[row.label] < 0), None)
    if odd is not None:
        raise TaskError(f"{odd.where}: {column} is {odd.label[:40]!r}, which is none of labels={','.join(named)}.")
    return index


def _in_order(spelled: Iterable[str], n_classes: int) -> dict[str, int]:
    """Class index of labels that are numbers: 0, 1, ... or as many whole numbers in a row as there are classes."""
    numbers = {label: int(whole) for label in spelled if (whole := _whole(label)).lstrip("+-").isdigit()}
    different = sorted(set(numbers.values()))
    if set(different) <= set(range(n_classes)):
        return numbers
    if different == list(range(different[0], different[0] + n_classes)):
        return {label: number - different[0] for label, number in numbers.items()}
    return {}


def _merged(spelled: Counter[str]) -> dict[str, str]:
    """The class of each label: a whole number without its point, or the most frequent of spellings of one name."""
    if all(map(_WHOLE.fullmatch, spelled)):
        return {label: _whole(label) for label in spelled}
    groups = defaultdict(list)
    for label, _ in sorted(spelled.items(), key=lambda each: (-each[1], each[0])):
        groups[plain(label)].append(label)
    return {label: group[0] for group in groups.values() for label in group}


def _respelled(names: Mapping[str, str], spelled: Counter[str]) -> Iterable[str]:
    groups = defaultdict(list)
    for label, name in names.items():
        groups[name].append(label)
    for name, group in groups.items():
        if len(group) > 1 and not _WHOLE.fullmatch(name):
            counts = ", ".join(f"{label!r} ({spelled[label]:,} rows)" for label in sorted(group))
            yield f"{counts} are one class, {name!r}: case, blanks and hyphens do not set classes apart."


def _doubts(rows: Sequence[TableRow], index: Mapping[str, int], labels: Sequence[str]) -> Iterable[str]:
    """Classes that may be a mistake: of one row, or named like a missing value."""
    counts = Counter(index[row.label] for row in rows)
    first: dict[int, str] = {}
    for row in rows:
        first.setdefault(index[row.label], row.where)
    rare = [place for place, n in counts.items() if n == 1]
    if rare:
        shown = ", ".join(f"{labels[place]!r} ({first[place]})" for place in rare[:_NAMED])
        more = f" and {len(rare) - _NAMED} more" if len(rare) > _NAMED else ""
        yield f"Classes of one row: {shown}{more}. Perhaps typing errors."
    for place, n in counts.items():
        if labels[place].lower() in _NO_ANSWER or (labels[place] == _UNLABELLED and "0" in labels):
            yield (
                f"{labels[place]!r} is read as a class, of {n:,} rows (the first: {first[place]}). If it means that "
                "there is no label, empty these cells, or name the classes with labels=..."
            )
    absent = [name for place, name in enumerate(labels) if place not in counts]
    if absent:
        yield f"No row is of class {', '.join(absent)}."


def _are_scores(rows: Sequence[TableRow], names: Iterable[str], column: str) -> bool:
    numbers, all_names = {name for name in names if _number(name)}, set(names)
    if numbers and numbers != all_names:
        odd = next(row for row in rows if row.label not in numbers)
        raise TaskError(
            f"{column} holds numbers and words, the first word {odd.label[:40]!r} in {odd.where}. Correct the column, "
            "or read all of it as class names (kind=classification)."
        )
    return bool(numbers) and not all(map(_WHOLE.fullmatch, all_names))


def _sorted(names: set[str]) -> list[str]:
    """As numbers if all are whole numbers, else as texts."""
    if all(map(_WHOLE.fullmatch, names)):
        return sorted(names, key=lambda name: (int(name), name))
    return sorted(names)


def _whole(label: str) -> str:
    """A whole number without a point, a plus or leading zeros; anything else as it is."""
    match = _WHOLE.fullmatch(label)
    return str(int(match[1])) if match else label


def _number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
