"""What can be drawn against what: the tasks and costs at hand, and which readings of them share an axis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar, final

from compecon.errors import CompeconError, did_you_mean
from compecon.views.checked_values import few
from compecon.views.frontier.drawn import Choice, FrontierAxes
from compecon.views.frontier.frontier_points import FrontierPoint, OtherSplit
from compecon.views.frontier.names import task_title

Value = TypeVar("Value", bound=Hashable)
_COSTS = {
    "macs": "MACs of one text",
    "share": "MACs, share of the dense parent's",
    "latency": "time of a forward pass / the dense parent's, measured",
    "reads": "attention reads of one text",
    "parameters": "parameters",
    "training_macs": "MACs of training after the dense parent",
}
_REPORTED = "test"


@final
@dataclass(frozen=True)
class AxisContext:
    """What readings must have in common to share the axes."""

    task: str  # the task; "" if there are no points
    split: str = ""  # what was measured on
    metric: str = ""
    rows: int | None = None  # units that were measured; None if no point says
    higher_is_better: bool = True
    n_tokens: int | None = None  # length of the text, where x depends on it; else None
    device: str = ""  # setting of the time, where x is one; else ""
    tasks: tuple[str, ...] = ()  # all tasks at hand


def tasks_of(points: Iterable[FrontierPoint]) -> tuple[Choice, ...]:
    """The tasks and splits at hand, those of most checkpoints first, then of most points.

    Another split than the reported one is "task@split".
    """
    known = measured(points)
    choices, n_open = [], {}
    for task in dict.fromkeys(point.task for point in known):
        of_task = [point for point in known if point.task == task]
        reported = _reported(of_task)
        splits = dict.fromkeys(here.split for point in of_task for here in readings(point))
        for split in sorted(splits, key=lambda name: name != reported):
            there = [point for point in of_task if at(point, split) is not None]
            metric = _common(point.metric for point in there) or "metric"
            name = task if split == reported else f"{task}@{split}"
            choices.append(Choice(name, f"{task_title(task)}: {metric} on {split}", len(there)))
            n_open[name] = sum(bool(point.checkpoint) for point in there)
    return tuple(sorted(choices, key=lambda one: ("@" in one.name, -n_open[one.name], -one.n_points, one.name)))


def axes_of(points: Iterable[FrontierPoint], task: str) -> tuple[Choice, ...]:
    """The costs that some point of a task, as `tasks_of` names it, states; times in different settings apart."""
    known = [point for point in measured(points) if point.task in (task, task.rpartition("@")[0])]
    n_points = Counter(name for point in known for name in point.costs)
    settings = sorted((name for name in n_points if is_setting(name)), key=lambda name: (-n_points[name], name))
    names = ["macs", "share", *(settings if len(settings) > 1 else ["latency"]), *list(_COSTS)[3:]]
    return tuple(Choice(name, cost_title(name), n_points[name]) for name in names if n_points[name])


def is_setting(cost: str) -> bool:
    """Whether a cost is time in one stated setting."""
    return cost.startswith("latency: ")


def cost_title(name: str) -> str:
    """A cost for people; a time with its setting.

    Raises:
        CompeconError: If there is no such cost.
    """
    if is_setting(name):
        return f"{_COSTS['latency']} ({name.removeprefix('latency: ')})"
    if name not in _COSTS:
        raise CompeconError(
            f"There is no cost {name[:60]!r}.{did_you_mean(name, _COSTS)} Choose one of {', '.join(_COSTS)}."
        )
    return _COSTS[name]


def asked_for(points: Sequence[FrontierPoint], axes: FrontierAxes) -> AxisContext:
    """What readings must have in common: what most of the points do, the first of them where it is even.

    Raises:
        CompeconError: If no task is named and the points are of several, or there is no such cost.
    """
    cost_title(axes.x)
    known = measured(points)
    tasks = tuple(dict.fromkeys(point.task for point in known))
    task, split = _named(tasks, axes.task)
    of_task = [point for point in known if point.task == task]
    split = split or _reported(of_task)
    there = [(point, here) for point in of_task if (here := at(point, split)) is not None]
    metric = _common(point.metric for point, _ in there) or ""
    same = [(point, here) for point, here in there if point.metric == metric]
    costly = [point for point, _ in same if axes.x in point.costs]
    return AxisContext(
        task=task,
        split=split,
        metric=metric,
        rows=_common(here.rows for _, here in same if here.rows is not None),
        higher_is_better=same[0][0].higher_is_better if same else True,
        n_tokens=_common(p.n_tokens for p in costly if p.n_tokens) if axes.x in ("macs", "reads") else None,
        device=_device(costly, axes.x),
        tasks=tasks,
    )


def _device(points: list[FrontierPoint], x: str) -> str:
    if is_setting(x):
        return x.removeprefix("latency: ")
    return (_common(point.device for point in points if point.device) or "") if x == "latency" else ""


def _named(tasks: tuple[str, ...], name: str) -> tuple[str, str]:
    """The task and the split that a name means; "" for the reported split."""
    if not name and len(tasks) > 1:
        raise CompeconError(
            f"These points are of {few(tasks)}: metrics of different tasks cannot share an axis. Choose one task."
        )
    if not name:
        return (tasks[0] if tasks else ""), ""
    task, _, split = name.rpartition("@")
    return (task, split) if name not in tasks and task in tasks else (name, "")


def measured(points: Iterable[FrontierPoint]) -> list[FrontierPoint]:
    """Those that were measured here, finished or not."""
    return [point for point in points if point.origin != "quoted"]


def readings(point: FrontierPoint) -> tuple[OtherSplit, ...]:
    """What was measured of a point, split by split, the reported one first."""
    if point.quality is None:
        return point.elsewhere
    return (OtherSplit(point.split, point.quality, point.change, point.rows), *point.elsewhere)


def at(point: FrontierPoint, split: str) -> OtherSplit | None:
    """What was measured of a point on a split."""
    return next((here for here in readings(point) if here.split == split), None)


def _reported(points: Iterable[FrontierPoint]) -> str:
    """The split that results are reported on: "test" if any has it, else the most common one."""
    known = list(points)
    done = [point.split for point in known if point.state == "done"] or [point.split for point in known]
    return _REPORTED if _REPORTED in done else _common(done) or ""


def _common(values: Iterable[Value]) -> Value | None:
    """The value that most have; the first of them where it is even; None if there is none."""
    counted = Counter(values).most_common(1)
    return counted[0][0] if counted else None
