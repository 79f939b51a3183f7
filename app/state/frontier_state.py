"""What a session holds of the Frontier page."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

import streamlit as st

from app.state.address_bar import lose, lose_failing, write_changes
from app.state.frontier_choice import BETWEEN, CHOICE_CHECKS, PLACE_CHECKS, FrontierChoice, FrontierPlace, checked_name
from app.state.held import seeded
from app.state.values import one_of

_CHOICE, _IS_FIRST = "frontier_choice", "frontier_is_first"
_MAX_PICKED = 5_000


def frontier_choice(tasks: Collection[str], costs_of: Mapping[str, Collection[str]]) -> FrontierChoice:
    """What is shown, as the widgets hold it, at first as the address bar says; seeds the widgets.

    Tasks and the costs that are known of each are given by their names.
    """
    held: FrontierChoice | None = st.session_state.get(_CHOICE)
    if held is None:
        held = FrontierChoice.from_mapping(st.query_params.to_dict())
        task = held.among(tasks, costs_of).task
        known = {"task": one_of(tasks), "x": one_of(costs_of.get(task, ()))}
        lose_failing("frontier", {**CHOICE_CHECKS, **PLACE_CHECKS, **known})
        st.session_state[_IS_FIRST] = True
    choice = FrontierChoice(**seeded("frontier", asdict(held))).among(tasks, costs_of)
    for name, value in (("task", choice.task), ("x", choice.x)):
        if st.session_state[f"frontier_{name}"] != value:
            st.session_state[f"frontier_{name}"] = value
    st.session_state[_CHOICE] = choice
    return choice


def frontier_place(points: Container[str], budgets: Container[int | None]) -> FrontierPlace:
    """Where the plot stands, at first as the address says: at points, by their keys, and budgets that there are."""
    place = FrontierPlace.current()
    if not st.session_state.pop(_IS_FIRST, False):
        return place
    if place.chosen and place.chosen not in points:
        lose("frontier", "point", place.chosen)
        place = replace(place, chosen="")
    if place.keys and place.keys not in budgets:
        lose("frontier", "budget", str(place.keys))
        place = replace(place, keys=0)
    st.session_state[FrontierPlace.KEPT] = asdict(place)
    return place


def seed_floor(value: float) -> None:
    """Begin with this floor if none is set; before its field is drawn."""
    if not st.session_state["frontier_floor"]:
        st.session_state["frontier_floor"] = value


def picked_points() -> tuple[str, ...]:
    """Keys of the points that were selected in the plot with a box or a lasso."""
    picked = getattr(st.session_state.get(FrontierPlace.CANVAS), "picked", None)
    if not isinstance(picked, Sequence) or isinstance(picked, str):
        return ()
    return tuple(key for key in picked[:_MAX_PICKED] if checked_name(key))


def remember_frontier(choice: FrontierChoice, place: FrontierPlace, first_task: str) -> None:
    """Write the page into the address bar; defaults are left out, and so is the task that is shown without a name."""
    state = {**asdict(choice), **asdict(place), "hidden": BETWEEN.join(place.hidden)}
    plain: dict[str, Any] = {each.name: each.default for kind in (choice, place) for each in fields(kind)}
    plain.update({"task": first_task, "hidden": "", "floor": 0.0 if choice.ask == "floor" else choice.floor})
    write_changes(state, plain)
