"""Does the head of a checkpoint speak of the classes of a task, and in which order?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from compecon.errors import TaskError


@final
@dataclass(frozen=True)
class LabelMatch:
    """Where a head says what a task asks.

    Attributes:
        columns: Index of the head's output for each class of the task: ``logits[:, columns]`` are in the task's order.
        by_name: Whether the names agree; otherwise the head's names say nothing and the order is taken on trust.
    """

    columns: tuple[int, ...]
    by_name: bool

    @property
    def in_order(self) -> bool:
        """Whether the head has the task's order already."""
        return self.columns == tuple(range(len(self.columns)))


def match_labels(wanted: Sequence[str], offered: Sequence[str]) -> LabelMatch:
    """Match the classes of a task to the outputs of a head: by name in any order, ignoring case, blanks and hyphens.

    Checkpoints order the same classes differently (those of MNLI most of all), so the order counts only where the head
    has no names of its own: LABEL_0, LABEL_1, ... or 0, 1, ...

    Args:
        wanted: Class names of the task, by class index.
        offered: Class names of the head, by output.

    Raises:
        TaskError: If there are more or fewer outputs than classes, or their names are others.

    Examples:
        >>> match_labels(["entailment", "neutral", "contradiction"], ["CONTRADICTION", "NEUTRAL", "ENTAILMENT"])
        LabelMatch(columns=(2, 1, 0), by_name=True)
    """
    if len(wanted) != len(offered):
        raise TaskError(
            f"the task has {len(wanted)} classes ({_listed(wanted)}) and the model's head {len(offered)} outputs "
            f"({_listed(offered)}). Take a model made for the task, or train a new head."
        )
    names, asked = [_plain(name) for name in offered], [_plain(name) for name in wanted]
    if len(set(names)) == len(names) and set(names) == set(asked):
        return LabelMatch(tuple(names.index(name) for name in asked), by_name=True)
    if all(name in {f"label_{i}", str(i)} for i, name in enumerate(names)):
        return LabelMatch(tuple(range(len(names))), by_name=False)
    raise TaskError(
        f"the task's classes are {_listed(wanted)} and those of the model's head {_listed(offered)}: not the same. "
        "Take a model made for the task, or train a new head."
    )


def match_score(offered: Sequence[str]) -> LabelMatch:
    """Match the score of a regression to a head: it has to have one output, whatever its name.

    Raises:
        TaskError: If it has more.
    """
    if len(offered) != 1:
        raise TaskError(
            f"the task asks for one score and the model's head has {len(offered)} outputs ({_listed(offered)}). "
            "Take a regression model, or train a new head."
        )
    return LabelMatch((0,), by_name=True)


def _plain(name: str) -> str:
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


def _listed(names: Sequence[str]) -> str:
    few = ", ".join(names[:10])
    return f"{few}, ..." if len(names) > 10 else few or "none"
