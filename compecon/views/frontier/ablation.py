"""Which units should pay: trainings that priced attention heads alone, FFN neurons alone, or both."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

from compecon.views.frontier.axes import asked_for, at
from compecon.views.frontier.drawn import FrontierAxes
from compecon.views.frontier.names import HEADS_ONLY, INCENTIVE, NEURONS_ONLY, change_in_points, is_higher_better
from compecon.views.frontier.points_of import FrontierPoint, Reading

Units: TypeAlias = Literal["heads", "neurons", "both"]
_FAMILIES: dict[str, Units] = {HEADS_ONLY: "heads", NEURONS_ONLY: "neurons", INCENTIVE: "both"}
_TITLES: dict[Units, str] = {
    "heads": "attention only",
    "neurons": "FFN only",
    "both": ("attention and FFN together"),
}
_SAME = 0.02  # of the dense MACs: counts are whole units, so targets are met within one
_COMMON_SHARE = 0.8
_BASES = {"sst2": "sentiment", "stsb": "similarity", "sick": "entailment"}


@final
@dataclass(frozen=True)
class AblationMark:
    """A training in which some units paid.

    Attributes:
        key: Of the point.
        name: For people.
        units: Which ones had a price.
        share: MACs by the dense parent's that are left.
        quality: The task's metric.
        change: From its dense parent; None if unknown.
    """

    key: str
    name: str
    units: Units
    share: float
    quality: Reading
    change: Reading | None


@final
@dataclass(frozen=True)
class AblationView:
    """Trainings by the units that paid.

    Attributes:
        marks: The trainings, by units and cost.
        sentences: Which is better at equal MACs, or what is missing.
        commands: What to run for what is missing.
        metric: The task's metric.
    """

    marks: tuple[AblationMark, ...]
    sentences: tuple[str, ...]
    commands: tuple[str, ...]
    metric: str = ""


def ablation_view(points: Iterable[FrontierPoint], task: str) -> AblationView:
    """Attention only, FFN only, and both, at equal MACs.

    Args:
        points: All points.
        task: As a `TaskChoice` names it.
    """
    known = tuple(points)
    asked = asked_for(known, FrontierAxes(task))
    same = [p for p in known if p.task == asked.task and p.metric == asked.metric and p.state == "done"]
    found = [mark for point in same if (mark := _mark(point, asked.split)) is not None]
    marks = tuple(sorted(found, key=lambda mark: (list(_TITLES).index(mark.units), mark.share, mark.key)))
    missing = tuple(units for units in _TITLES if all(mark.units != units for mark in marks))
    sentences = _compared(marks, asked.metric)
    if missing:
        names = " or ".join(_TITLES[units] for units in missing)
        sentences = (
            *sentences,
            f"No training here put a price on {names}. Run these commands to compare them at equal MACs.",
        )
    return AblationView(marks, sentences, _commands(asked.task, marks) if missing else ())


def _mark(point: FrontierPoint, split: str) -> AblationMark | None:
    here, share, units = at(point, split), point.costs.get("share"), _FAMILIES.get(point.family)
    if here is None or share is None or units is None:
        return None
    return AblationMark(point.key, point.name, units, share.value, here.quality, here.change)


def _commands(task: str, marks: Sequence[AblationMark]) -> tuple[str, ...]:
    """What is missing at the share that every kind can reach: attention alone is a third of the MACs."""
    there = {mark.units for mark in marks if abs(mark.share - _COMMON_SHARE) <= _SAME}
    base = _BASES.get(task, "CHECKPOINT")
    return tuple(
        f"compecon train --task {shlex.quote(task)} --base {base} --target-macs {_COMMON_SHARE} --units {units} "
        f"--out {base}-{units}-{_COMMON_SHARE:.0%}".rstrip("%")
        for units in _TITLES
        if units not in there
    )


def _compared(marks: Sequence[AblationMark], metric: str) -> tuple[str, ...]:
    """A sentence for each share at which trainings of several kinds are."""
    found = []
    for share, group in _at_equal_cost(marks):
        values = {units: _mean([mark for mark in group if mark.units == units]) for units in _TITLES}
        known = {units: value for units, value in values.items() if value is not None}
        if len(known) > 1:
            found.append(_sentence(share, known, group, metric))
    return tuple(found)


def _at_equal_cost(marks: Sequence[AblationMark]) -> list[tuple[float, list[AblationMark]]]:
    """Groups of trainings whose MACs are the same, within a fiftieth of the dense ones."""
    groups: list[tuple[float, list[AblationMark]]] = []
    for mark in sorted(marks, key=lambda one: one.share):
        if groups and mark.share - groups[-1][0] <= _SAME:
            groups[-1][1].append(mark)
        else:
            groups.append((mark.share, [mark]))
    return groups


def _mean(marks: Sequence[AblationMark]) -> float | None:
    """Mean change from dense where all know it; seeds count alike."""
    changes = [mark.change.value for mark in marks if mark.change is not None]
    return sum(changes) / len(changes) if changes and len(changes) == len(marks) else None


def _sureness(ranked: Sequence[Units], group: Sequence[AblationMark]) -> str:
    """Who is not told apart from the best, by intervals; "" if everybody is."""
    first, *others = ranked
    tied = [_TITLES[units] for units in others if not _is_told(first, units, group)]
    if not tied:
        return ""
    if len(tied) == len(others):
        return " The intervals overlap, so this order may be due to chance."
    return f" The intervals of {_TITLES[first]} and {' and '.join(tied)} overlap, so their order may be due to chance."


def _sentence(share: float, known: dict[Units, float], group: Sequence[AblationMark], metric: str) -> str:
    sign = 1 if is_higher_better(metric) else -1
    ranked = sorted(known, key=lambda units: -sign * known[units])
    told = ", ".join(f"{_TITLES[units]} {change_in_points(known[units], metric)}" for units in ranked)
    n = len([mark for mark in group if mark.units in known])
    if abs(known[ranked[0]] - known[ranked[-1]]) < 1e-9:
        return f"At {share:.0%} of the dense MACs they are equal: {told} from dense, {n} trainings."
    sure = _sureness(ranked, group)
    verb = "keep" if ranked[0] == "both" else "keeps"
    best = f"{_TITLES[ranked[0]]} {verb} the most"
    return f"At {share:.0%} of the dense MACs {best}: {told} from dense, {n} trainings.{sure}"


def _is_told(best: Units, other: Units, group: Sequence[AblationMark]) -> bool:
    """Whether each training of the one lies beyond the intervals of each of the other."""
    ends = [(one.quality, two.quality) for one in group for two in group if one.units == best and two.units == other]
    return all(
        None not in (one.low, one.high, two.low, two.high)
        and (float(one.low or 0) > float(two.high or 0) or float(two.low or 0) > float(one.high or 0))
        for one, two in ends
    )
