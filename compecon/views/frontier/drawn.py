"""What the Frontier page draws: axes, marks, families with their fronts, and curves over key budgets. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, final

from compecon.views.frontier.frontier_points import FrontierPoint, Reading

Quality: TypeAlias = Literal["quality", "change"]
Standing: TypeAlias = Literal["front", "tied", "dominated", "quoted", "running", "failed"]


@final
@dataclass(frozen=True)
class FrontierAxes:
    """What is drawn against what."""

    task: str  # the task, as `tasks_of` names it; "" for that of all points, if it is one
    x: str = "macs"  # a cost's name, as `axes_of` names it; less is always better
    y: Quality = "quality"  # the task's metric, or its change from the dense parent's
    is_log: bool = False


@final
@dataclass(frozen=True)
class Choice:
    """A task or a cost that can be chosen: as `FrontierAxes` takes it, and for people.

    Quoted points do not count in `n_points`.
    """

    name: str
    title: str
    n_points: int


@final
@dataclass(frozen=True)
class FrontierMark:
    """A point on the axes."""

    point: FrontierPoint
    x: Reading
    y: Reading  # its quality or change
    judged: Reading  # y with the interval that it is judged by: its own, or that of its metric if the change has none
    # on the front of all measured points; tied with it as far as the intervals can tell; dominated; or none of them,
    # because it is quoted, still running, or failed
    standing: Standing = "dominated"
    differs: str = ""  # how it differs from the other points of its family, for a hover

    @property
    def is_measured(self) -> bool:
        """Whether it can be on a front: finished, and measured here."""
        return self.point.state == "done" and self.point.origin != "quoted"


@final
@dataclass(frozen=True)
class Family:
    """Points of one kind."""

    name: str
    marks: tuple[FrontierMark, ...]  # its points, by x
    front: tuple[str, ...]  # keys of those that no other point of the family dominates, in order of x
    # area that the family dominates within the view's reference, with x as a share of the reference's and y in the
    # metric's unit; None for quoted points
    volume: float | None

    @property
    def is_elastic(self) -> bool:
        """Whether its points are the sizes of one elastic checkpoint."""
        return all(mark.point.budget is not None for mark in self.marks)


@final
@dataclass(frozen=True)
class BudgetCurve:
    """A checkpoint as its key budget falls; a value for each of the view's budgets, None where it was not measured."""

    key: str
    family: str
    # the cost, which changes with the budget only if it is reads, because masking saves nothing else
    xs: tuple[float | None, ...]
    ys: tuple[float | None, ...]  # quality, or change from the dense parent


@final
@dataclass(frozen=True)
class FrontierView:
    """A frontier, ready to be drawn."""

    axes: FrontierAxes
    x_title: str  # of the x axis, with its unit and what it is: counted, measured, estimated
    y_title: str  # of the y axis
    reference: tuple[float, float]  # worst corner (x, y) that volumes are counted from
    families: tuple[Family, ...]  # by name, the measured ones before the quoted
    front: tuple[str, ...]  # keys of the front of all measured points, in order of x
    volume: float | None  # area that all measured points dominate within the reference; None without points
    budgets: tuple[int | None, ...]  # key budgets, rising; None, for all keys, is last
    curves: tuple[BudgetCurve, ...]  # checkpoints over these budgets
    left_out: tuple[tuple[str, str], ...]  # name and reason of each point that is not shown
    notes: tuple[str, ...]  # what has to be known to read the picture, a sentence each
    higher_is_better: bool = True
    metric: str = ""
    split: str = ""

    @property
    def marks(self) -> tuple[FrontierMark, ...]:
        """All marks, family by family."""
        return tuple(mark for family in self.families for mark in family.marks)

    @property
    def sign(self) -> int:
        """What makes more of y better: 1, or -1 where lower is better."""
        return 1 if self.higher_is_better else -1
