"""What the Frontier page holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, TypeAlias, final

import streamlit as st

from app.state.address_bar import lose_unknown, write_changes
from app.state.held import seeded
from app.state.values import Check, View, integer, one_of, passing, up_to

PARTS = ("points", "families", "ablation", "prices", "proxies")
ASKS = ("ceiling", "change", "floor")
_CHOICE = "frontier_choice"
_MAX_NAME, _MAX_HIDDEN, _MAX_PICKED = 300, 50, 5_000
_LARGEST = 1e6  # a perplexity may be in the thousands
_BETWEEN = "|"  # names of families have commas in them

Ask: TypeAlias = Literal["ceiling", "change", "floor"]


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


def _names(value: Any) -> tuple[str, ...] | None:
    """Names, as a list of them or as one text."""
    given = value.split(_BETWEEN) if isinstance(value, str) else value
    if not isinstance(given, Sequence) or len(given) > _MAX_HIDDEN:
        return None
    names = tuple(name for name in given if isinstance(name, str) and 0 < len(name) <= _MAX_NAME)
    return names or None


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= _MAX_NAME else None


def _percent(value: Any) -> int | None:
    found = integer(value)
    return found if found is not None and 1 <= found <= 100 else None


def _switch(value: Any) -> bool | None:
    return {"True": True, "False": False}.get(str(value))


_PLACE_CHECKS: Mapping[str, Check] = {"keys": integer, "hidden": _names, "dominated": _switch, "chosen": _name}


@final
@dataclass(frozen=True)
class FrontierPlace(View):
    """Where the plot stands, as it last reported."""

    CANVAS, KEPT, CHECKS = "frontier_canvas", "frontier_place", _PLACE_CHECKS

    keys: int = 0  # key budget of the bar; 0 for all keys
    hidden: tuple[str, ...] = ()  # families that are not drawn
    dominated: bool = True  # whether dominated points are drawn
    chosen: str = ""  # key of the point that was clicked, or ""


def frontier_choice(tasks: Collection[str], costs_of: Mapping[str, Collection[str]]) -> FrontierChoice:
    """What is shown, as the widgets hold it, at first as the address bar says; seeds the widgets.

    Tasks and the costs that are known of each are given by their names.
    """
    held: FrontierChoice = st.session_state.get(_CHOICE) or _choice_in_address()
    seeded("frontier", asdict(held))
    if _CHOICE not in st.session_state:
        lose_unknown("frontier", {"task": tasks})
    if st.session_state["frontier_task"] not in tasks:
        st.session_state["frontier_task"] = next(iter(tasks), "")
    costs = costs_of.get(st.session_state["frontier_task"], ())
    if st.session_state["frontier_x"] not in costs:
        st.session_state["frontier_x"] = FrontierChoice.x if FrontierChoice.x in costs else next(iter(costs), "")
    choice = FrontierChoice(**seeded("frontier", asdict(held)))
    st.session_state[_CHOICE] = choice
    return choice


def seed_floor(value: float) -> None:
    """Begin with this floor if none is set; before its field is drawn."""
    if not st.session_state["frontier_floor"]:
        st.session_state["frontier_floor"] = value


def _choice_in_address() -> FrontierChoice:
    checks: Mapping[str, Check] = {
        "task": _name,
        "x": _name,
        "y": one_of(("quality", "change")),
        "log": _switch,
        "part": one_of(PARTS),
        "ask": one_of(ASKS),
        "ceiling": _percent,
        "change": up_to(_LARGEST),
        "floor": up_to(_LARGEST),
    }
    return replace(FrontierChoice(), **passing(st.query_params.to_dict(), checks))


def picked_points() -> tuple[str, ...]:
    """Keys of the points that were selected in the plot with a box or a lasso."""
    picked = getattr(st.session_state.get(FrontierPlace.CANVAS), "picked", None)
    if not isinstance(picked, Sequence) or isinstance(picked, str):
        return ()
    return tuple(key for key in picked[:_MAX_PICKED] if _name(key))


def remember_frontier(choice: FrontierChoice, place: FrontierPlace, first_task: str) -> None:
    """Write the page into the address bar; defaults are left out, and so is the task that is shown without a name."""
    state = {**asdict(choice), **asdict(place), "hidden": _BETWEEN.join(place.hidden)}
    plain: dict[str, Any] = {each.name: each.default for kind in (choice, place) for each in fields(kind)}
    plain.update({"task": first_task, "hidden": "", "floor": 0.0 if choice.ask == "floor" else choice.floor})
    write_changes(state, plain)
