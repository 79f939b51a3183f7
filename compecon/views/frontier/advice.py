"""Which checkpoint to take: the best within a limit, what it costs, what ties with it, the price of one more point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from compecon.views.frontier.advice_words import Chosen, refusal, sentences_of
from compecon.views.frontier.drawn import FrontierMark, FrontierView
from compecon.views.frontier.limits import FINISHED, Limits, Wish
from compecon.views.frontier.names import DENSE


@final
@dataclass(frozen=True)
class Advice:
    """What to take."""

    key: str  # of the point; "" if nothing fits
    checkpoint: str  # what ``load_checkpoint`` takes; "" if nothing fits
    # what to take, why, what ties with it, and the price of one more point; or why nothing fits
    sentences: tuple[str, ...]
    tied: tuple[str, ...] = ()  # keys of those within the limits whose intervals overlap with that of the best
    # cost of the next better one for a point of quality (0.01; 1 where lower is better), in the unit of x; None if
    # there is none
    marginal: float | None = None
    # of an elastic checkpoint, which size to take: what ``Checkpoint.at`` takes; None for any other checkpoint
    budget: float | None = None
    nearest: str = ""  # if nothing fits, the key of what comes nearest; "" if there is nothing to open
    most_x: float | None = None  # the ceiling in the unit of x; None if there is none
    least_y: float | None = None  # the floor in the unit of y; None if there is none on this axis


def advise(view: FrontierView, wish: Wish) -> Advice:
    """The checkpoint to take. Only what is finished, measured here and can be opened is advised.

    Under a ceiling it is the best one; under a floor alone the cheapest one.
    """
    limits = Limits(view, wish)
    measured = [mark for mark in view.marks if mark.standing in FINISHED]
    marks = [mark for mark in measured if mark.point.checkpoint]
    fitting = [mark for mark in marks if limits.excess(mark) <= 0]
    most_x, least_y = limits.most_x, limits.least_y
    if not fitting:
        near = min(marks, key=limits.excess, default=None)
        key = near.point.key if near else ""
        return Advice("", "", refusal(limits, near), nearest=key, most_x=most_x, least_y=least_y)
    best = _best(fitting, limits)
    tied = tuple(mark for mark in fitting if mark is not best and mark.judged.overlaps(best.judged))
    following = _cheapest([mark for mark in marks if _is_better(mark, best, view)], view)
    rivals = [mark for mark in measured if limits.excess(mark) <= 0 and mark.point.family != DENSE]
    ahead = _best([*rivals, best], limits)
    unopened = None if ahead.point.checkpoint or not _is_ahead(ahead, best, limits) else ahead
    safer = None if limits.is_sure(best) else _cheapest([mark for mark in fitting if limits.is_sure(mark)], view)
    return Advice(
        key=best.point.key,
        checkpoint=best.point.checkpoint,
        budget=best.point.budget,
        sentences=sentences_of(limits, Chosen(best, tied, following, unopened, safer)),
        tied=tuple(mark.point.key for mark in tied),
        marginal=None if following is None else _marginal(best, following, view),
        most_x=most_x,
        least_y=least_y,
    )


def _best(marks: Sequence[FrontierMark], limits: Limits) -> FrontierMark:
    if limits.is_floor_alone and (cheapest := _cheapest(marks, limits.view)):
        return cheapest
    return min(marks, key=lambda mark: (-limits.view.sign * mark.y.value, mark.x.value, mark.point.key))


def _cheapest(marks: Sequence[FrontierMark], view: FrontierView) -> FrontierMark | None:
    """The cheapest mark; the best of them where several cost the same."""
    return min(marks, key=lambda mark: (mark.x.value, -view.sign * mark.y.value, mark.point.key), default=None)


def _is_better(mark: FrontierMark, than: FrontierMark, view: FrontierView) -> bool:
    return view.sign * (mark.y.value - than.y.value) > 0


def _is_ahead(mark: FrontierMark, than: FrontierMark, limits: Limits) -> bool:
    return mark.x.value < 0.99 * than.x.value if limits.is_floor_alone else _is_better(mark, than, limits.view)


def _marginal(best: FrontierMark, following: FrontierMark, view: FrontierView) -> float:
    point = 0.01 if view.higher_is_better else 1.0
    return (following.x.value - best.x.value) * point / abs(following.y.value - best.y.value)
