"""The advice in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from compecon.views.frontier.drawn import FrontierMark, FrontierView
from compecon.views.frontier.mark_intervals import interval_of, overlap
from compecon.views.frontier.names import change_in_points, cost_in_words, in_points, interval
from compecon.views.frontier.points_of import Reading

_NOUNS = {"macs": "MACs", "share": "MACs", "latency": "time", "reads": "reads", "training_macs": "training"}
Limits = tuple[float | None, float | None, float | None]


@final
@dataclass(frozen=True)
class Chosen:
    """What the sentences are about.

    Attributes:
        best: What to take.
        tied: What fits too, and cannot be told apart from it.
        following: The cheapest one that is better.
        unopened: One within the limits that would be taken if it could be opened.
        safer: One that keeps to the floor at the worse end of its interval, where the best one does not.
    """

    best: FrontierMark
    tied: tuple[FrontierMark, ...]
    following: FrontierMark | None
    unopened: FrontierMark | None
    safer: FrontierMark | None


def sentences_of(view: FrontierView, chosen: Chosen, dense_x: float, limits: Limits) -> tuple[str, ...]:
    """What to take, what that costs in quality, what ties, and the price of one more point.

    Args:
        view: The view.
        chosen: What was found.
        dense_x: Cost of the dense model.
        limits: The ceiling, the floor of the metric, and that of the change.
    """
    found = (
        _take(view, chosen.best, dense_x),
        _against_dense(view, chosen.best, dense_x),
        _ties(view, chosen, dense_x),
        _safer(view, chosen, limits),
        _unopened(view, chosen.unopened),
        _next(view, chosen, dense_x),
        "This holds with all keys: the key bar moves the curves, and not the advice." if view.curves else "",
    )
    return tuple(sentence for sentence in found if sentence)


def refusal(view: FrontierView, nearest: FrontierMark | None, dense_x: float, limits: Limits) -> tuple[str, ...]:
    """Why there is nothing to take, and what comes nearest."""
    if nearest is None:
        return ("No finished checkpoint to open. Train or prune one, or choose another task or cost.",)
    ceiling, quality, change = limits
    asked = (
        "" if ceiling is None else f"at most {_ceiling(view, ceiling, dense_x)}",
        "" if quality is None else f"{view.metric} {_least(view)} {in_points(quality, view.metric)}",
        "" if change is None else f"a loss of at most {change_in_points(abs(change), view.metric)[1:]}",
    )
    return (
        f"No checkpoint fits: {' and '.join(filter(None, asked))}.",
        f"The nearest is {nearest.point.name}: {_y_words(view, nearest)} at {cost_in_words(view.axes.x, nearest.x)}.",
    )


def _ceiling(view: FrontierView, ceiling: float, dense_x: float) -> str:
    return f"{ceiling / dense_x:.0%} of the dense {_noun(view)}" if dense_x else cost_in_words(view.axes.x, ceiling)


def _take(view: FrontierView, mark: FrontierMark, dense_x: float) -> str:
    return f"Choose {mark.point.name}: {_y_words(view, mark)} on {view.split} at {_x_words(view, mark, dense_x)}."


def _x_words(view: FrontierView, mark: FrontierMark, dense_x: float) -> str:
    words = cost_in_words(view.axes.x, mark.x)
    if view.axes.x == "share" or view.axes.x.startswith("latency") or not dense_x:
        return words
    return f"{words}, {mark.x / dense_x:.0%} of the dense model's"


def _y_words(view: FrontierView, mark: FrontierMark) -> str:
    y = Reading(mark.y, mark.y_low, mark.y_high)
    if view.axes.y == "change":
        return f"{change_in_points(mark.y, view.metric)} of {view.metric}{interval(y, view.metric)}"
    return f"{view.metric} {in_points(mark.y, view.metric)}{interval(y, view.metric)}"


def _against_dense(view: FrontierView, mark: FrontierMark, dense_x: float) -> str:
    change, parent = mark.point.change, mark.point.parent
    if change is None or not parent or mark.point.split != view.split or not dense_x:
        return ""
    saved = 1 - mark.x / dense_x
    what = f"{saved:.0%} {_less(view)} {_noun(view)}" if saved > 0 else f"no {_less(view)} {_noun(view)}"
    if change.low is not None and change.high is not None:
        sure = (
            "not significantly different from 0" if change.low <= 0 <= change.high else "significantly different from 0"
        )
        told = f"{interval(change, view.metric)}, {sure}"
    else:
        told = _unpaired(mark)
    return f"Against its dense parent {parent} that is {change_in_points(change.value, view.metric)}{told}, for {what}."


def _unpaired(mark: FrontierMark) -> str:
    quality, change = mark.point.quality, mark.point.change
    if quality is None or change is None or quality.low is None or quality.high is None:
        return ""
    if quality.low <= quality.value - change.value <= quality.high:
        return " (within the interval of its metric; the two were not compared row by row)"
    return " (beyond the interval of its metric)"


def _ties(view: FrontierView, chosen: Chosen, dense_x: float) -> str:
    if not chosen.tied:
        return ""
    names = _listed([mark.point.name for mark in chosen.tied])
    cheapest = min(chosen.tied, key=lambda mark: mark.x)
    told = f"As far as the intervals can tell, {names} may be as good"
    if cheapest.x >= chosen.best.x:
        return f"{told}, but not cheaper."
    cost = cost_in_words(view.axes.x, cheapest.x)
    part = f" ({cheapest.x / dense_x:.0%} of the dense model's)" if dense_x and view.axes.x not in ("share",) else ""
    return f"{told}; if compute counts more than that, {cheapest.point.name} takes {cost}{part}."


def _safer(view: FrontierView, chosen: Chosen, limits: Limits) -> str:
    if limits[1] is None or chosen.safer is None:
        return ""
    return (
        f"Its interval extends beyond {in_points(limits[1], view.metric)}; the cheapest whose interval does not is "
        f"{chosen.safer.point.name}, at {cost_in_words(view.axes.x, chosen.safer.x)}."
    )


def _unopened(view: FrontierView, mark: FrontierMark | None) -> str:
    if mark is None:
        return ""
    what = "a run of an experiment" if mark.point.origin == "experiment" else "a run"
    return (
        f"Within the same limits {mark.point.name} is better ({_y_words(view, mark)} at "
        f"{cost_in_words(view.axes.x, mark.x)}), but as {what} without a checkpoint it cannot be opened."
    )


def _next(view: FrontierView, chosen: Chosen, dense_x: float) -> str:
    best, following = chosen.best, chosen.following
    if following is None:
        return "One more point cannot be bought: no better checkpoint can be opened here, at any cost."
    gain = change_in_points(following.y - best.y, view.metric)
    if following.x <= best.x:
        told = f"{following.point.name} is better by {gain} at no more {_noun(view)}, outside the limits."
        return told + _caution(best, following)
    more, gained = following.x - best.x, abs(following.y - best.y) * (100 if view.higher_is_better else 1)
    if dense_x:
        cost, each = f"{more / dense_x:.0%} more of the dense {_noun(view)}", f"{more / dense_x / gained:.1%}"
    else:
        cost, each = (f"{cost_in_words(view.axes.x, x)}" for x in (more, more / gained))
        cost = f"{cost} more"
    return (
        f"The price of one more point: the next better one, {following.point.name}, gains {gain} for {cost}, which is "
        f"{each} a point.{_caution(best, following)}"
    )


def _caution(one: FrontierMark, other: FrontierMark) -> str:
    """How sure it is that one of two marks is better, where the intervals do not make it so."""
    if interval_of(one) is None or interval_of(other) is None:
        return " How sure that is cannot be told: not both have an interval."
    return " The gain is within the intervals, so it may not be real." if overlap(one, other) else ""


def _listed(names: list[str], most: int = 4) -> str:
    shown = names if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _noun(view: FrontierView) -> str:
    return _NOUNS.get(view.axes.x.partition(":")[0], view.axes.x.partition(":")[0])


def _less(view: FrontierView) -> str:
    return "less" if _noun(view) in ("time", "training") else "fewer"


def _least(view: FrontierView) -> str:
    return "at least" if view.higher_is_better else "at most"
