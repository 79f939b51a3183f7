"""What has to be known to read a frontier, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from compecon.views.checked_values import few
from compecon.views.frontier.axes import AxisContext, is_setting
from compecon.views.frontier.drawn import FrontierAxes
from compecon.views.frontier.plotted_points import PlottedPoint

_EMPTY = "No point has a place here yet. Train, prune or evaluate a checkpoint, or choose another task or cost."
_READS = "Reads, not latency: a dense kernel still scores every key, whatever the budget."
_VERTICAL = (
    "A key budget saves reads of attention, not MACs, time or weights: curves over the budget are vertical here. "
    "Choose reads as the cost to see them move."
)
_TIED = (
    "“Tied” marks may be on the front, for all that their 95 % intervals say; each pair is judged on its own, and "
    "intervals are over rows of the split, not over trainings."
)
_GRAIN = (
    "Costs closer than half a hundredth of the highest one shown count as equal: whole units meet no target exactly."
)
_UNPAIRED = (
    "A change without error bars was not taken row by row: it is judged by the interval of its metric, which is wider."
)
_QUOTED = "Quoted marks are others' numbers in a different setting: they are on no front and in no area."
_UNDERWAY = "Hollow marks are still running: quality as measured last, cost as the gates would leave it now, estimated."
_ELSEWHERE = (
    "A run that is under way is measured on another split than this one; it is listed below with where to see it."
)

_DENSE_ALONE = "Dense parents differ: bundled checkpoints and each seed of an experiment have their own."


def notes_of(
    places: Sequence[PlottedPoint], asked: AxisContext, axes: FrontierAxes, about: tuple[str, bool, bool]
) -> tuple[str, ...]:
    """The notes of a view.

    Args:
        places: What is shown.
        asked: What they have in common.
        axes: The axes.
        about: What the reference's y is, whether there are curves, and whether a run is measured elsewhere.
    """
    floor, has_curves, is_elsewhere = about
    shown = [place for place in places if place.is_measured]
    if not places:
        return (_empty(asked), *((_ELSEWHERE,) if is_elsewhere else ()))
    unpaired = axes.y == "change" and any(place.judged is not place.y for place in shown)
    several = axes.y == "change" and len({(p.point.origin, p.point.parent) for p in shown if p.point.parent}) > 1
    notes = (
        (_TIED, len(shown) > 1),
        (_GRAIN, len(shown) > 1),
        (_reference(floor, axes), bool(shown)),
        (_READS, axes.x == "reads"),
        (_VERTICAL, has_curves and axes.x != "reads"),
        (f"Time was measured on {asked.device}.", bool(asked.device) and not is_setting(axes.x)),
        (_UNPAIRED, unpaired),
        (_DENSE_ALONE, several),
        (_UNDERWAY, any(place.point.state == "running" for place in places)),
        (_ELSEWHERE, is_elsewhere),
        (_QUOTED, any(place.point.origin == "quoted" for place in places)),
    )
    return tuple(note for note, holds in notes if holds)


def _empty(asked: AxisContext) -> str:
    if asked.tasks and asked.task not in asked.tasks:
        return f"No point of {asked.task[:60]} is known. There are points of {few(asked.tasks)}."
    return _EMPTY


def _reference(floor: str, axes: FrontierAxes) -> str:
    y = "metric" if axes.y == "quality" else "change"
    return (
        f"Areas count from the highest cost shown, which is 1, and from the {y} of a reference: {floor}. They are in "
        "parts of that cost times the metric."
    )
