"""The advice in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from compecon.views.frontier.drawn import FrontierMark, FrontierView
from compecon.views.frontier.limits import Limits
from compecon.views.frontier.names import change_in_points, cost_in_words, in_points, interval
from compecon.views.frontier.size_points import export_command

_NOUNS = {"macs": "MACs", "share": "MACs", "training_macs": "training", "latency": "time"}
_MOST_NAMES = 4


@final
@dataclass(frozen=True)
class Chosen:
    """What the sentences are about."""

    best: FrontierMark  # what to take
    tied: tuple[FrontierMark, ...]  # what fits too, and whose interval overlaps with that of the best
    following: FrontierMark | None  # the cheapest one that is better
    unopened: FrontierMark | None  # one within the limits that would be taken if it could be opened
    # one that keeps to the floor at the worse end of its interval, where the best one does not
    safer: FrontierMark | None


def sentences_of(limits: Limits, chosen: Chosen) -> tuple[str, ...]:
    """What to take, what that costs in quality, what ties, and the price of one more point."""
    found = (
        _take(limits, chosen.best),
        _against_dense(limits, chosen.best),
        _ties(limits, chosen),
        _safer(limits, chosen.safer),
        _unopened(limits.view, chosen.unopened),
        _next(limits, chosen.best, chosen.following),
        "This holds with all keys: the key bar moves the curves, not the advice." if limits.view.curves else "",
        _export(chosen.best),
    )
    return tuple(filter(None, found))


def refusal(limits: Limits, nearest: FrontierMark | None) -> tuple[str, ...]:
    """Why there is nothing to take, and what comes nearest."""
    if nearest is None:
        return ("No finished checkpoint to open. Train or prune one, or choose another task or cost.",)
    view, ceiling, dense_x = limits.view, limits.most_x, limits.dense_x
    quality, change = limits.wish.least_quality, limits.wish.least_change
    asked = []
    if ceiling is not None:
        share = f"{ceiling / dense_x:.0%} of the dense {_noun(view)}" if dense_x else _cost(view, ceiling)
        asked.append(f"at most {share}")
    if quality is not None:
        least = "at least" if view.higher_is_better else "at most"
        asked.append(f"{view.metric} {least} {in_points(quality, view.metric)}")
    if change is not None:
        asked.append(f"a loss of at most {change_in_points(abs(change), view.metric)[1:]}")
    return (
        f"No checkpoint fits: {' and '.join(asked)}.",
        f"The nearest is {nearest.point.name}: {_quality(view, nearest)} at {_cost(view, nearest.x.value)}.",
    )


def _take(limits: Limits, mark: FrontierMark) -> str:
    view, cost = limits.view, _cost(limits.view, mark.x.value)
    if limits.dense_x and view.axes.x != "share" and not view.axes.x.startswith("latency"):
        cost += f", {mark.x.value / limits.dense_x:.0%} of the dense model's"
    return f"Choose {mark.point.name}: {_quality(view, mark)} on {view.split} at {cost}."


def _against_dense(limits: Limits, mark: FrontierMark) -> str:
    view, change, parent = limits.view, mark.point.change, mark.point.training.parent
    if change is None or not parent or mark.point.split != view.split or not limits.dense_x:
        return ""
    saved = 1 - mark.x.value / limits.dense_x
    less = "less" if _noun(view) in ("time", "training") else "fewer"
    what = f"{saved:.0%} {less} {_noun(view)}" if saved > 0 else f"no {less} {_noun(view)}"
    points = change_in_points(change.value, view.metric)
    return f"Compared with its dense parent {parent}: {points}{_significance(mark, view)}, for {what}."


def _significance(mark: FrontierMark, view: FrontierView) -> str:
    """The interval of a change, or how the change compares with the interval of the metric."""
    quality, change = mark.point.quality, mark.point.change
    if change is not None and change.ends:
        is_sure = not change.ends[0] <= 0 <= change.ends[1]
        return f"{interval(change, view.metric)}, {'' if is_sure else 'not '}significantly different from 0"
    if quality is None or change is None or quality.ends is None:
        return ""
    if quality.ends[0] <= quality.value - change.value <= quality.ends[1]:
        return " (within the interval of its metric; the two were not compared row by row)"
    return " (beyond the interval of its metric)"


def _ties(limits: Limits, chosen: Chosen) -> str:
    if not chosen.tied:
        return ""
    view, names = limits.view, [mark.point.name for mark in chosen.tied]
    cheapest = min(chosen.tied, key=lambda mark: mark.x.value)
    may = f"As far as the intervals can tell, {_listed(names)} may be as good"
    if cheapest.x.value >= chosen.best.x.value:
        return f"{may}, but not cheaper."
    is_part = limits.dense_x and view.axes.x != "share"
    part = f" ({cheapest.x.value / limits.dense_x:.0%} of the dense model's)" if is_part else ""
    cost = _cost(view, cheapest.x.value)
    return f"{may}; if compute matters more than that, {cheapest.point.name} needs {cost}{part}."


def _safer(limits: Limits, mark: FrontierMark | None) -> str:
    view, floor = limits.view, limits.wish.least_quality
    if floor is None or mark is None:
        return ""
    return (
        f"Its interval extends beyond {in_points(floor, view.metric)}; the cheapest whose interval does not is "
        f"{mark.point.name}, at {_cost(view, mark.x.value)}."
    )


def _unopened(view: FrontierView, mark: FrontierMark | None) -> str:
    if mark is None:
        return ""
    return (
        f"Within the same limits {mark.point.name} is better ({_quality(view, mark)} at {_cost(view, mark.x.value)}), "
        "but it has no checkpoint that can be opened."
    )


def _next(limits: Limits, best: FrontierMark, following: FrontierMark | None) -> str:
    view, dense_x = limits.view, limits.dense_x
    if following is None:
        return "No better checkpoint can be opened here, at any cost."
    difference = following.y.value - best.y.value
    gain, more = change_in_points(difference, view.metric), following.x.value - best.x.value
    if more <= 0:
        better = f"{following.point.name} is better by {gain} at no more {_noun(view)}, outside the limits."
        return better + _caution(best, following)
    each = more / abs(difference) / (100 if view.higher_is_better else 1)
    if dense_x:
        cost, per_point = f"{more / dense_x:.0%} of the dense {_noun(view)}", f"{each / dense_x:.1%}"
    else:
        cost, per_point = _cost(view, more), _cost(view, each)
    return (
        f"The price of one more point: {following.point.name}, the next better one, gains {gain} for another {cost}, "
        f"which is {per_point} per point.{_caution(best, following)}"
    )


def _export(mark: FrontierMark) -> str:
    """How to have a size of an elastic checkpoint alone."""
    command = export_command(mark.point)
    return f"To have this size as a checkpoint of its own: {command}" if command else ""


def _caution(one: FrontierMark, other: FrontierMark) -> str:
    """How sure it is that one of two marks is better, where the intervals do not make it so."""
    if one.judged.ends is None or other.judged.ends is None:
        return " Not both have an interval, so it is unknown how certain this gain is."
    return " The gain is within the intervals, so it may not be real." if one.judged.overlaps(other.judged) else ""


def _cost(view: FrontierView, x: float) -> str:
    return cost_in_words(view.axes.x, x)


def _quality(view: FrontierView, mark: FrontierMark) -> str:
    if view.axes.y == "change":
        return f"{change_in_points(mark.y.value, view.metric)} of {view.metric}{interval(mark.y, view.metric)}"
    return f"{view.metric} {in_points(mark.y.value, view.metric)}{interval(mark.y, view.metric)}"


def _listed(names: list[str]) -> str:
    shown = names if len(names) <= _MOST_NAMES else [*names[:3], f"{len(names) - 3} others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _noun(view: FrontierView) -> str:
    kind = view.axes.x.partition(":")[0]
    return _NOUNS.get(kind, kind)
