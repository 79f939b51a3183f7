"""The price of compute beside what it bought: cost and quality by price, fixed prices and shadow prices told apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

from compecon.views.frontier.axes import asked_for, at
from compecon.views.frontier.drawn import FrontierAxes
from compecon.views.frontier.names import INCENTIVE, change_in_points
from compecon.views.frontier.points_of import FrontierPoint, Reading

PriceKind: TypeAlias = Literal["fixed", "shadow"]
_TOLD = {
    "fixed": "Fixed price: chosen in advance; the cost follows from it.",
    "shadow": "Shadow price: follows from a target; what dual ascent charged when the gates were frozen.",
}


@final
@dataclass(frozen=True)
class PriceMark:
    """A priced training.

    Attributes:
        key: Of the point.
        name: For people.
        kind: Whether the price was fixed, or found by dual ascent for a target.
        price: In task loss for all of the dense cost.
        share: MACs by the dense parent's that are left.
        quality: The task's metric.
        change: From the dense parent; None if unknown.
        target: What was asked for; None for a fixed price.
        met: Whether the gates met the target by themselves; None where there was none, or nobody noted it.
        family: Of the point.
        seed: Of its training.
    """

    key: str
    name: str
    kind: PriceKind
    price: float
    share: float
    quality: Reading
    change: Reading | None
    target: float | None
    met: bool | None
    family: str
    seed: int | None


@final
@dataclass(frozen=True)
class PriceView:
    """All priced trainings of a task, the lowest price first within each kind.

    Attributes:
        marks: The trainings.
        metric: Name of the metric.
        sentences: What to see in them, and what they do not say.
    """

    marks: tuple[PriceMark, ...]
    metric: str
    sentences: tuple[str, ...]


def price_view(points: Iterable[FrontierPoint], task: str) -> PriceView:
    """Price against achieved cost and quality.

    Args:
        points: All points.
        task: As a `TaskChoice` names it.
    """
    known = tuple(points)
    asked = asked_for(known, FrontierAxes(task))
    same = [p for p in known if p.task == asked.task and p.metric == asked.metric and p.origin != "quoted"]
    found = [mark for point in same if (mark := _mark(point, asked.split)) is not None]
    marks = tuple(sorted(found, key=lambda mark: (mark.kind, mark.price, mark.key)))
    return PriceView(marks, asked.metric, _sentences(marks, asked.metric))


def _mark(point: FrontierPoint, split: str) -> PriceMark | None:
    here, share = at(point, split), point.costs.get("share")
    if here is None or share is None or point.price is None or point.state != "done":
        return None
    return PriceMark(
        key=point.key,
        name=point.name,
        kind="fixed" if point.target is None else "shadow",
        price=point.price,
        share=share.value,
        quality=here.quality,
        change=here.change,
        target=point.target,
        met=point.met,
        family=point.family,
        seed=point.seed,
    )


def _sentences(marks: tuple[PriceMark, ...], metric: str) -> tuple[str, ...]:
    if not marks:
        return (
            "No training here had a price. Train one with a target (`compecon train --target-macs 0.5 ...`) or a fixed "
            "price (`--price 1`).",
        )
    kinds = sorted({mark.kind for mark in marks})
    found = [_TOLD[kind] for kind in kinds]
    if "fixed" not in kinds:
        found.append("None of these has a fixed price; a sweep over `--price` would add some.")
    shadow = [mark for mark in marks if mark.kind == "shadow" and mark.family == INCENTIVE]
    if len(shadow) > 1:
        found.append(_span(shadow, metric))
    unmet = sum(mark.met is False for mark in marks)
    if unmet:
        found.append(
            f"In {unmet} of {len(marks)} the gates had not met the target by themselves when they were frozen: more "
            "units were cut to meet it, and the price was still rising."
        )
    return tuple(found)


def _span(marks: list[PriceMark], metric: str) -> str:
    low, high = (end(marks, key=lambda mark: mark.price) for end in (min, max))
    change = ""
    if low.change is not None and high.change is not None:
        first, last = (change_in_points(one.change.value, metric) for one in (low, high) if one.change is not None)
        change = f"; the change from dense goes from {first} to {last}"
    return (
        f"From a price of {low.price:.2g} to {high.price:.2g}, in task loss for all of the dense cost, the remaining "
        f"MACs go from {low.share:.0%} to {high.share:.0%}{change}."
    )
