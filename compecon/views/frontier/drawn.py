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
    """What is drawn against what.

    Attributes:
        task: The task, as `tasks_of` names it; "" for that of all points, if it is one.
        x: A cost's name, as `axes_of` names it; less is always better.
        y: The task's metric, or its change from the dense parent's.
        is_log: Whether x is logarithmic.
    """

    task: str
    x: str = "macs"
    y: Quality = "quality"
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
    """A point on the axes.

    Attributes:
        point: The point.
        x: Its cost.
        y: Its quality or change.
        judged: y with the interval that it is judged by: its own, or that of its metric if the change has none.
        standing: On the front of all measured points; tied with it as far as the intervals can tell; dominated; or none
            of them, because it is quoted, still running, or failed.
        differs: How it differs from the other points of its family, for a hover.
    """

    point: FrontierPoint
    x: Reading
    y: Reading
    judged: Reading
    standing: Standing = "dominated"
    differs: str = ""

    @property
    def is_measured(self) -> bool:
        """Whether it can be on a front: finished, and measured here."""
        return self.point.state == "done" and self.point.origin != "quoted"


@final
@dataclass(frozen=True)
class Family:
    """Points of one kind.

    Attributes:
        name: The kind.
        marks: Its points, by x.
        front: Keys of those that no other point of the family dominates, in order of x.
        volume: Area that the family dominates within the view's reference, with x as a share of the reference's and y
            in the metric's unit; None for quoted points.
    """

    name: str
    marks: tuple[FrontierMark, ...]
    front: tuple[str, ...]
    volume: float | None


@final
@dataclass(frozen=True)
class BudgetCurve:
    """A checkpoint as its key budget falls; a value for each of the view's budgets, None where it was not measured.

    Attributes:
        key: Of the point.
        family: Of the point.
        xs: The cost, which changes with the budget only if it is reads, because masking saves nothing else.
        ys: Quality, or change from the dense parent.
    """

    key: str
    family: str
    xs: tuple[float | None, ...]
    ys: tuple[float | None, ...]


@final
@dataclass(frozen=True)
class FrontierView:
    """A frontier, ready to be drawn.

    Attributes:
        axes: What is drawn against what.
        x_title: Of the x axis, with its unit and what it is: counted, measured, estimated.
        y_title: Of the y axis.
        reference: Worst corner (x, y) that volumes are counted from.
        families: By name, the measured ones before the quoted.
        front: Keys of the front of all measured points, in order of x.
        volume: Area that all measured points dominate within the reference; None without points.
        budgets: Key budgets, rising; None, for all keys, is last.
        curves: Checkpoints over these budgets.
        left_out: Name and reason of each point that is not shown.
        notes: What has to be known to read the picture, a sentence each.
        higher_is_better: Whether more of y is better.
        metric: Name of the metric.
        split: What it was measured on.
    """

    axes: FrontierAxes
    x_title: str
    y_title: str
    reference: tuple[float, float]
    families: tuple[Family, ...]
    front: tuple[str, ...]
    volume: float | None
    budgets: tuple[int | None, ...]
    curves: tuple[BudgetCurve, ...]
    left_out: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
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
