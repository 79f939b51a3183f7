"""The price of compute beside what it bought: cost and quality by price, fixed prices and shadow prices apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compecon.views.frontier.frontier_points import FrontierPoint
from compecon.views.frontier.names import INCENTIVE, change_in_points
from compecon.views.frontier.study_marks import Study, StudyMark, study_marks

_KINDS = {
    "fixed": "Fixed price: chosen in advance; the cost follows from it.",
    "shadow": "Shadow price: follows from a target; what dual ascent charged when the gates were frozen.",
}


def price_view(points: Iterable[FrontierPoint], task: str) -> Study:
    """Price against cost and quality: all priced trainings, by kind ("fixed", or "shadow" for a target) and price."""
    asked, marks = study_marks(points, task, _kind)
    marks.sort(key=lambda mark: (mark.kind, _price(mark), mark.point.key))
    return Study(tuple(marks), asked.metric, _sentences(marks, asked.metric))


def _kind(point: FrontierPoint) -> str | None:
    if point.training.price is None or point.origin == "quoted":
        return None
    return "fixed" if point.training.target is None else "shadow"


def _price(mark: StudyMark) -> float:
    return mark.point.training.price or 0.0


def _sentences(marks: Sequence[StudyMark], metric: str) -> tuple[str, ...]:
    if not marks:
        return (
            "No training here had a price. Train one with a target (`compecon train --target-macs 0.5 ...`) or a fixed "
            "price (`--price 1`).",
        )
    kinds = sorted({mark.kind for mark in marks})
    found = [_KINDS[kind] for kind in kinds]
    if "fixed" not in kinds:
        found.append("None of these has a fixed price; a sweep over `--price` would add some.")
    shadow = [mark for mark in marks if mark.kind == "shadow" and mark.point.family == INCENTIVE]
    if len(shadow) > 1:
        found.append(_span(shadow, metric))
    unmet = sum(mark.point.training.met is False for mark in marks)
    if unmet:
        found.append(
            f"In {unmet} of {len(marks)} trainings, the gates had not met the target by themselves when they were "
            "frozen: more units were cut to meet it, and the price was still rising."
        )
    return tuple(found)


def _span(marks: Sequence[StudyMark], metric: str) -> str:
    low, high = min(marks, key=_price), max(marks, key=_price)
    change = ""
    if low.change is not None and high.change is not None:
        first, last = (change_in_points(one.value, metric) for one in (low.change, high.change))
        change = f"; the change from dense goes from {first} to {last}"
    return (
        f"From a price of {_price(low):.2g} to {_price(high):.2g}, in task loss for all of the dense cost, the "
        f"remaining MACs go from {low.share:.0%} to {high.share:.0%}{change}."
    )
