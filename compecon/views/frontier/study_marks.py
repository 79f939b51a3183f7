"""What the studies beside the frontier are made of: finished trainings of a task, each of a kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import final

from compecon.views.frontier.axes import AxisContext, asked_for, at
from compecon.views.frontier.drawn import FrontierAxes
from compecon.views.frontier.frontier_points import FrontierPoint, Reading


@final
@dataclass(frozen=True)
class StudyMark:
    """A training in a study."""

    point: FrontierPoint
    kind: str  # what the study compares
    share: float  # MACs by the dense parent's that are left
    quality: Reading  # the task's metric on the split of the study
    change: Reading | None  # from its dense parent, likewise; None if unknown


@final
@dataclass(frozen=True)
class Study:
    """Trainings beside each other."""

    marks: tuple[StudyMark, ...]
    metric: str
    sentences: tuple[str, ...]  # what to see in them, and what is missing
    commands: tuple[str, ...] = ()  # what to run for what is missing


def study_marks(
    points: Iterable[FrontierPoint], task: str, kind_of: Callable[[FrontierPoint], str | None]
) -> tuple[AxisContext, list[StudyMark]]:
    """The finished points of a task whose kind and cost are known, and what they have in common.

    Args:
        points: All points.
        task: As `tasks_of` names it.
        kind_of: The kind of a point; None for a point that is not part of the study.
    """
    known = tuple(points)
    asked = asked_for(known, FrontierAxes(task))
    marks = []
    for point in known:
        here, share, kind = at(point, asked.split), point.cost("share"), kind_of(point)
        is_same = (point.task, point.metric, point.state) == (asked.task, asked.metric, "done")
        if is_same and here is not None and share is not None and kind is not None:
            marks.append(StudyMark(point, kind, share, here.quality, here.change))
    return asked, marks
