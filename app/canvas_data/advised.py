"""Which should I take? The question as the widgets put it, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

from app.state.frontier_choice import FrontierChoice
from compecon.views.frontier.advice import Advice, advise
from compecon.views.frontier.drawn import FrontierView
from compecon.views.frontier.limits import Limits, Wish
from compecon.views.frontier.names import DENSE, scale_of


@final
@dataclass(frozen=True)
class Advised:
    """What the plot says above itself, and highlights."""

    key: str = ""  # the point to take, or the nearest where nothing fits, or ""
    limit: Mapping[str, Any] | None = None  # a line for the limit: "axis", "value", "text"; None if it is on no axis
    advice: Advice | None = None  # the answer; None if there is no question
    question: str = ""

    @property
    def role(self) -> str:
        """What the ringed point is."""
        return "recommended" if self.advice and self.advice.key else "nearest, does not fit"


def advised(view: FrontierView, choice: FrontierChoice) -> Advised:
    """What to take within the limit that was asked for."""
    if choice.ask == "floor" and not choice.floor:
        choice = replace(choice, floor=own_floor(view))
    wish = _wish(choice)
    advice = advise(view, wish)
    has_dense = Limits(view, wish).dense_x > 0
    limit = _limit(advice, choice, view, "dense cost" if has_dense else "highest cost shown")
    question = _question(choice, "the dense model's cost" if has_dense else "the highest cost shown")
    return Advised(advice.key or advice.nearest, limit, advice, question)


def _question(choice: FrontierChoice, whole: str) -> str:
    if choice.ask == "ceiling":
        return f"Which should I choose for at most {choice.ceiling}% of {whole}?"
    if choice.ask == "change":
        return f"Which should I choose to lose at most {choice.change:g} of the metric against dense?"
    return f"Which should I choose for a metric of at least {choice.floor:g}?"


def _wish(choice: FrontierChoice) -> Wish:
    if choice.ask == "ceiling":
        return Wish(most_share=choice.ceiling / 100)
    return Wish(least_change=-choice.change) if choice.ask == "change" else Wish(least_quality=choice.floor or None)


def _limit(advice: Advice, choice: FrontierChoice, view: FrontierView, whole: str) -> Mapping[str, Any] | None:
    if choice.ask == "ceiling" and advice.most_x is not None:
        return {"axis": "x", "value": advice.most_x, "text": f"{choice.ceiling}% of the {whole}"}
    if choice.ask != "ceiling" and advice.least_y is not None:
        is_own = choice.ask == "floor" and choice.floor == own_floor(view)
        text = "suggested floor, just below dense" if is_own else "your floor"
        return {"axis": "y", "value": scale_of(view.metric) * advice.least_y, "text": text}
    return None


def own_floor(view: FrontierView) -> float:
    """A point worse than the dense model."""
    dense = [mark.point.quality.value for mark in view.marks if mark.point.family == DENSE and mark.point.quality]
    return round(dense[0] - 0.01 if view.higher_is_better else 1.01 * dense[0], 3) if dense else 0.0
