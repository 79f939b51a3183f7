"""What the Frontier page can be asked for, and where its plot can stand. Loads no Streamlit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, final

from app.state.values import Check, View, integer, one_of, passing, up_to

PARTS = ("points", "families", "ablation", "prices", "proxies")
ASKS = ("ceiling", "change", "floor")
_MAX_NAME, _MAX_HIDDEN = 300, 50
_LARGEST = 1e6  # a perplexity may be in the thousands
BETWEEN = "|"  # names of families have commas in them

Ask: TypeAlias = Literal["ceiling", "change", "floor"]


def _names(value: Any) -> tuple[str, ...] | None:
    """Names, as a list of them or as one text."""
    given = value.split(BETWEEN) if isinstance(value, str) else value
    if not isinstance(given, Sequence) or len(given) > _MAX_HIDDEN:
        return None
    names = tuple(name for name in given if isinstance(name, str) and 0 < len(name) <= _MAX_NAME)
    return names or None


def checked_name(value: Any) -> str | None:
    """A name of at most 300 letters, or None."""
    return value if isinstance(value, str) and len(value) <= _MAX_NAME else None


def _percent(value: Any) -> int | None:
    found = integer(value)
    return found if found is not None and 1 <= found <= 100 else None


def _switch(value: Any) -> bool | None:
    return {"True": True, "False": False}.get(str(value))


CHOICE_CHECKS: Mapping[str, Check] = {
    "task": checked_name,
    "x": checked_name,
    "y": one_of(("quality", "change")),
    "log": _switch,
    "part": one_of(PARTS),
    "ask": one_of(ASKS),
    "ceiling": _percent,
    "change": up_to(_LARGEST),
    "floor": up_to(_LARGEST),
}
PLACE_CHECKS: Mapping[str, Check] = {"keys": integer, "hidden": _names, "dominated": _switch, "chosen": checked_name}


@final
@dataclass(frozen=True)
class FrontierChoice:
    """What the Frontier page shows, as its widgets say."""

    task: str = ""  # a task; "" for the first one
    x: str = "share"  # name of a cost
    y: Literal["quality", "change"] = "change"
    log: bool = False  # whether the cost is on a logarithmic axis
    part: str = PARTS[0]  # what is shown below the plot
    ask: Ask = "ceiling"  # what "Which should I take?" is limited by
    ceiling: int = 50  # largest cost, in percent of the dense model's
    change: float = 0.01  # largest loss against the dense parent, in the metric's unit
    floor: float = 0.0  # worst metric; 0 for the page's own choice

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> FrontierChoice:
        """Take what passes its check; the rest keeps its default."""
        return replace(cls(), **passing(values, CHOICE_CHECKS))

    def among(self, tasks: Collection[str], costs_of: Mapping[str, Collection[str]]) -> FrontierChoice:
        """The same on a task and a cost that there are: tasks, and the costs that are known of each, by their names."""
        task = self.task if self.task in tasks else next(iter(tasks), "")
        costs = costs_of.get(task, ())
        usual = FrontierChoice.x if FrontierChoice.x in costs else next(iter(costs), "")
        return replace(self, task=task, x=self.x if self.x in costs else usual)


@final
@dataclass(frozen=True)
class FrontierPlace(View):
    """Where the plot stands, as it last reported."""

    CANVAS, KEPT, CHECKS = "frontier_canvas", "frontier_place", PLACE_CHECKS

    keys: int = 0  # key budget of the bar; 0 for all keys
    hidden: tuple[str, ...] = ()  # families that are not drawn
    dominated: bool = True  # whether dominated points are drawn
    chosen: str = ""  # key of the point that was clicked, or ""
