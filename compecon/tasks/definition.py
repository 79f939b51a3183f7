"""What a task is, wherever its rows come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from compecon.tasks.task import Kind, Split, Task
from compecon.tasks.task_metrics import Metric


@final
@dataclass(frozen=True)
class Definition:
    """All of a task but its rows."""

    name: str  # short name
    title: str  # the question it asks
    labels: tuple[str, ...]  # class names by index; one name for the score of a regression
    metrics: tuple[Metric, ...]  # the first is what is chosen by
    licence: str  # terms of its data, in words
    label: str = ""  # what a menu says; the name if empty
    kind: Kind = "classification"  # whether its targets are classes or scores
    is_pair: bool = False  # whether a row is two texts

    @property
    def target(self) -> type[int] | type[float]:
        """`int` for classes, `float` for scores."""
        return float if self.kind == "regression" else int

    def task(self, splits: Mapping[str, Split]) -> Task:
        """The task with these rows."""
        return Task(self.name, self.kind, self.labels, splits, self.metrics)
