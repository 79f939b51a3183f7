"""Which checkpoint to take: the best within a limit, what it costs, what ties with it, the price of one more point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from compecon.views.frontier.advice_words import Chosen, refusal, sentences_of
from compecon.views.frontier.drawn import FrontierMark, FrontierView
from compecon.views.frontier.limits import Limits
from compecon.views.frontier.limits import Wish as Wish
from compecon.views.frontier.mark_intervals import overlap
from compecon.views.frontier.names import DENSE

_FINISHED = ("front", "tied", "dominated")


@final
@dataclass(frozen=True)
class Advice:
    """What to take.

    Attributes:
        key: Of the point; "" if nothing fits.
        checkpoint: What ``load_checkpoint`` takes; "" if nothing fits.
        sentences: What to take, why, what ties with it, and the price of one more point; or why nothing fits.
        tied: Keys of those within the limits that the intervals do not tell apart from it.
        marginal: Cost of the next better one for a point of quality (0.01; 1 where lower is better), in the unit of x;
            None if there is none.
        nearest: If nothing fits, the key of what comes nearest; "" if there is nothing to open.
        most_x: The ceiling in the unit of x; None if there is none.
        least_y: The floor in the unit of y; None if there is none on this axis.
    """

    key: str
    checkpoint: str
    sentences: tuple[str, ...]
    tied: tuple[str, ...] = ()
    marginal: float | None = None
    nearest: str = ""
    most_x: float | None = None
    least_y: float | None = None


def advise(view: FrontierView, wish: Wish) -> Advice:
    """The checkpoint to take. Only what is finished, measured here and can be opened is advised.

    Under a ceiling it is the best one; under a floor alone the cheapest one.

    Args:
        view: The frontier, whose axes the advice is on.
        wish: The limits.
    """
    dense_x = _dense_x(view)
    limits = Limits(view, wish, _ceiling(wish, dense_x or view.reference[0]))
    measured = [mark for mark in view.marks if mark.standing in _FINISHED]
    marks = [mark for mark in measured if mark.point.checkpoint]
    fitting = [mark for mark in marks if limits.hold(mark)]
    about = (limits.most_x, wish.least_quality if view.axes.y == "quality" else wish.least_change)
    if not fitting:
        near = min(marks, key=limits.excess) if marks else None
        told = refusal(view, near, dense_x, limits.numbers)
        return Advice("", "", told, nearest=near.point.key if near else "", most_x=about[0], least_y=about[1])
    cheapest = limits.most_x is None and limits.has_floor
    best = _best(fitting, view, cheapest=cheapest)
    tied = tuple(mark for mark in fitting if mark is not best and overlap(mark, best))
    following = _next(marks, best, view)
    rivals = [mark for mark in measured if limits.hold(mark) and mark.point.family != DENSE]
    ahead = _best([*rivals, best], view, cheapest=cheapest)
    unopened = None if ahead.point.checkpoint or not _is_ahead(ahead, best, view, cheapest=cheapest) else ahead
    chosen = Chosen(best, tied, following, unopened, _safer(fitting, best, limits))
    return Advice(
        key=best.point.key,
        checkpoint=best.point.checkpoint,
        sentences=sentences_of(view, chosen, dense_x, limits.numbers),
        tied=tuple(mark.point.key for mark in tied),
        marginal=None if following is None else _marginal(best, following, view),
        most_x=about[0],
        least_y=about[1],
    )


def better(mark: FrontierMark, than: FrontierMark, view: FrontierView) -> bool:
    """Whether a mark's y is the better one."""
    return mark.y > than.y if view.higher_is_better else mark.y < than.y


def _dense_x(view: FrontierView) -> float:
    """Cost of the dense model: the highest of its marks; 0 if it has none, as for training after it."""
    return max(
        (mark.x for mark in view.marks if mark.point.family == DENSE and mark.standing in _FINISHED), default=0.0
    )


def _ceiling(wish: Wish, dense_x: float) -> float | None:
    shares = [] if wish.most_share is None else [wish.most_share * dense_x]
    costs = [] if wish.most_cost is None else [wish.most_cost]
    return min((*shares, *costs), default=None)


def _best(marks: Sequence[FrontierMark], view: FrontierView, *, cheapest: bool = False) -> FrontierMark:
    sign = -1 if view.higher_is_better else 1
    if cheapest:
        return min(marks, key=lambda mark: (mark.x, sign * mark.y, mark.point.key))
    return min(marks, key=lambda mark: (sign * mark.y, mark.x, mark.point.key))


def _is_ahead(mark: FrontierMark, than: FrontierMark, view: FrontierView, *, cheapest: bool) -> bool:
    return mark.x < 0.99 * than.x if cheapest else better(mark, than, view)


def _next(marks: Sequence[FrontierMark], best: FrontierMark, view: FrontierView) -> FrontierMark | None:
    """The cheapest of those that are better; the best of them where several cost the same."""
    found = [mark for mark in marks if better(mark, best, view)]
    return _best(found, view, cheapest=True) if found else None


def _safer(fitting: Sequence[FrontierMark], best: FrontierMark, limits: Limits) -> FrontierMark | None:
    """The cheapest one that keeps to the floor even at the worse end of its interval, if the best one does not."""
    if limits.is_sure(best):
        return None
    sure = [mark for mark in fitting if limits.is_sure(mark)]
    return _best(sure, limits.view, cheapest=True) if sure else None


def _marginal(best: FrontierMark, following: FrontierMark, view: FrontierView) -> float:
    point = 0.01 if view.higher_is_better else 1.0
    return (following.x - best.x) * point / abs(following.y - best.y)
