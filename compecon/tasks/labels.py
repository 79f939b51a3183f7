"""Whether the head of a checkpoint has the classes of a task, and in which order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final
from urllib.parse import quote

from compecon.errors import TaskError

_BETWEEN = re.compile(r"(?<=\w)[-_\s]+(?=\w)")
_NUMBER = re.compile(r"(?:label_)?([0-9]+)")  # of a name that is only a number


@final
class LabelDoubtError(TaskError):
    """A head has as many outputs as a task has classes, and it is unknown which is which.

    Attributes:
        wanted: Class names of the task, by class index.
        offered: Names of the head's outputs.
    """

    def __init__(self, wanted: Sequence[str], offered: Sequence[str]) -> None:
        self.wanted, self.offered = tuple(wanted), tuple(offered)
        super().__init__(
            f"{self.doubt} Find out what the model was trained with, and append the names of 0, 1, ... to the "
            f"task's name: '?labels={spelled(self.names)}' ('&labels=...' after another option)."
        )

    @property
    def doubt(self) -> str:
        """What is not known, in a sentence."""
        which = "the model's outputs" if numbers_of(self.offered) else "the task's classes"
        return (
            f"the task's classes are {join_names(self.wanted)} and the model's outputs {join_names(self.offered)}: "
            f"{which} have no names, and checkpoints order such classes differently."
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names that there are, in the order that may be right."""
        return self.wanted if numbers_of(self.offered) else self.offered


@final
@dataclass(frozen=True)
class LabelMatch:
    """Which outputs of a head are the classes of a task."""

    # index of the head's output for each class of the task: ``logits[:, columns]`` are in the task's order
    columns: tuple[int, ...]
    by_name: bool  # whether the names agree; otherwise classes and outputs were matched by their numbers

    @property
    def in_order(self) -> bool:
        """Whether the head has the task's order already."""
        return self.columns == tuple(range(len(self.columns)))

    def shown(self, wanted: Sequence[str], offered: Sequence[str]) -> str:
        """Which class is which output, for people: ``no = output 0 (NO), yes = output 1 (YES)``."""
        pairs = zip(wanted, self.columns, strict=True)
        return ", ".join(f"{name} = output {column} ({offered[column]})" for name, column in pairs)


def match_labels(wanted: Sequence[str], offered: Sequence[str], *, stated: bool = False) -> LabelMatch:
    """Match the classes of a task to the outputs of a head: by name in any order, ignoring case, blanks and hyphens.

    Checkpoints order the same classes differently (those of MNLI most of all), so a head without names (LABEL_0,
    LABEL_1, ... or 0, 1, ...) fits classes without names, and any others only if a person has `stated` that the classes
    are in the order of the outputs' numbers.

    Raises:
        LabelDoubtError: If only one of both has names, and the order is not stated.
        TaskError: If there are more or fewer outputs than classes, or their names are others.

    Example:
        >>> match_labels(["entailment", "neutral", "contradiction"], ["CONTRADICTION", "NEUTRAL", "ENTAILMENT"])
        LabelMatch(columns=(2, 1, 0), by_name=True)
    """
    if len(wanted) != len(offered):
        raise TaskError(
            f"the task has {len(wanted)} classes ({join_names(wanted)}) and the model's head {len(offered)} outputs "
            f"({join_names(offered)}). Use a model made for the task, or train a new head."
        )
    names, asked = [plain(name) for name in offered], [plain(name) for name in wanted]
    if len(set(names)) == len(names) and set(names) == set(asked):
        return LabelMatch(tuple(names.index(name) for name in asked), by_name=True)
    places, classes = numbers_of(offered), numbers_of(wanted)
    if places and (stated or classes):
        asked_for = range(len(wanted)) if stated else classes
        return LabelMatch(tuple(places.index(number) for number in asked_for), by_name=False)
    if places or all(_NUMBER.fullmatch(plain(name)) for name in wanted):
        raise LabelDoubtError(wanted, offered)
    raise TaskError(
        f"the task's classes are {join_names(wanted)} and those of the model's head {join_names(offered)}: "
        "not the same. Use a model made for the task, or train a new head."
    )


def match_score(offered: Sequence[str]) -> LabelMatch:
    """Match the score of a regression to a head, which must have one output, whatever its name; TaskError otherwise."""
    if len(offered) != 1:
        raise TaskError(
            f"the task asks for one score and the model's head has {len(offered)} outputs ({join_names(offered)}). "
            "Use a regression model, or train a new head."
        )
    return LabelMatch((0,), by_name=True)


def numbers_of(names: Sequence[str]) -> tuple[int, ...]:
    """The numbers that names consist of, if they are 0, 1, ... or LABEL_0, LABEL_1, ... in any order; else empty."""
    found = [_NUMBER.fullmatch(plain(name)) for name in names]
    numbers = tuple(int(each[1]) for each in found if each)
    return numbers if sorted(numbers) == list(range(len(names))) else ()


def plain(name: str) -> str:
    """A class name without what sets no names apart: case, and blanks, hyphens or underscores between words.

    Examples:
        >>> plain(" Not-Entailment"), plain("A-"), plain("-1")
        ('not_entailment', 'a-', '-1')
    """
    return _BETWEEN.sub("_", name.strip().casefold())


def spelled(names: Sequence[str]) -> str:
    """Names as they are written after ``labels=`` in a task's name."""
    return ",".join(quote(name, safe=" /()") for name in names)


def join_names(names: Sequence[str]) -> str:
    """Names for people, at most ten."""
    few = ", ".join(names[:10])
    return f"{few}, ..." if len(names) > 10 else few or "none"
