"""What has to be known to read a frontier, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from compecon.views.checked_values import few
from compecon.views.frontier.axes import AxisContext, is_setting
from compecon.views.frontier.drawn import FrontierAxes, FrontierMark

_EMPTY = "No points to show yet. Train, prune or evaluate a checkpoint, or choose another task or cost."
_READS = "Reads, not latency: a dense kernel scores every key at any budget."
_VERTICAL = (
    "A key budget saves reads of attention, not MACs, time or weights: curves over the budget are vertical here. "
    "Choose reads as the cost to see them move."
)
_TIED = (
    "“Tied” points may be on the front, as far as their 95% intervals can tell. Each pair is compared on its "
    "own; intervals are over rows of the split, not over training runs."
)
_GRAIN = (
    "Costs closer than half a hundredth of the highest one shown count as equal, because "
    "whole units cannot meet a target exactly."
)
_UNPAIRED = (
    "A change without error bars was not measured pairwise by row; it is judged by "
    "the interval of its metric, which is wider."
)
_QUOTED = "Quoted points are published numbers from different settings; they count towards no front and no area."
_SIZES = (
    "A line through an elastic checkpoint joins its sizes that were measured. Any size between two of them can be had "
    "too; what it is worth was not measured."
)
_UNDERWAY = "Hollow points are still running: quality as last measured, cost estimated from the current gates."
_ELSEWHERE = "Active runs are measured on a different split; they are listed below with the split that shows them."

_PARENTS = "Dense parents differ: bundled checkpoints and each seed of an experiment have their own."


def notes_of(
    marks: Sequence[FrontierMark], asked: AxisContext, axes: FrontierAxes, about: tuple[str, bool, bool]
) -> tuple[str, ...]:
    """The notes of a view; `about`: what the reference's y is, whether there are curves and runs measured elsewhere."""
    floor, has_curves, is_elsewhere = about
    shown = [mark for mark in marks if mark.is_measured]
    if not marks:
        return (_empty(asked), *((_ELSEWHERE,) if is_elsewhere else ()))
    parents = {(mark.point.origin, mark.point.training.parent) for mark in shown if mark.point.training.parent}
    notes = (
        (_TIED, len(shown) > 1),
        (_GRAIN, len(shown) > 1),
        (_reference(floor, axes), bool(shown)),
        (_READS, axes.x == "reads"),
        (_VERTICAL, has_curves and axes.x != "reads"),
        (f"Time was measured on {asked.device}.", bool(asked.device) and not is_setting(axes.x)),
        (_UNPAIRED, any(mark.judged != mark.y for mark in shown)),
        (_PARENTS, axes.y == "change" and len(parents) > 1),
        (_SIZES, any(mark.point.budget is not None for mark in shown)),
        (_UNDERWAY, any(mark.point.state == "running" for mark in marks)),
        (_ELSEWHERE, is_elsewhere),
        (_QUOTED, any(mark.point.origin == "quoted" for mark in marks)),
    )
    return tuple(note for note, holds in notes if holds)


def _empty(asked: AxisContext) -> str:
    if asked.tasks and asked.task not in asked.tasks:
        return f"There are no points for {asked.task[:60]}. There are points for {few(asked.tasks)}."
    return _EMPTY


def _reference(floor: str, axes: FrontierAxes) -> str:
    y = "metric" if axes.y == "quality" else "change"
    return (
        f"Areas are relative to the highest cost shown (scaled to 1) and a reference {y}: {floor}. Their unit is "
        "that cost times the metric."
    )
