"""What the Allocation page holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self, final

import streamlit as st

from app.state.address_bar import amount, integer, lose_unknown, one_of, write_address
from compecon.allocation.rules import RULES
from compecon.views.allocation.choice_names import BELIEFS, Belief

ALLOCATION_CANVAS = "allocation_canvas"
_ALLOCATION, _ALLOCATION_VIEW = "allocation_choice", "allocation_view"


@final
@dataclass(frozen=True)
class AllocationChoice:
    """What the Allocation page shares out, and how.

    Attributes:
        stream: Name of a bundled stream or of a mixture, or "file".
        rule: Key of a rule.
        belief: Which curves a rule takes the queries of a mixture to have.
        noise: Error of predicted thresholds, 0 to 1.
        money: Price per million tokens; 0 to count tokens alone.
        service: Share of the mean budget that every arrival is sure of, 0 to 0.9.
        part: What is shown below the canvas.
    """

    stream: str = "sentiment-sizes"
    rule: str = "shadow-price"
    belief: Belief = "chance"
    noise: float = 0.0
    money: float = 0.0
    service: float = 0.0
    part: Literal["queries", "rules", "gains"] = "queries"


@final
@dataclass(frozen=True)
class AllocationView:
    """Where the canvas of the Allocation page stands.

    Attributes:
        budget: Stop of the bar, from 0.
        query: Place of the chosen query in the stream.
        order: How the queue is sorted.
    """

    budget: int = 20
    query: int = 0
    order: Literal["arrival", "price"] = "arrival"

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what passes its check; the rest keeps its default."""
        checks = {"budget": integer, "query": integer, "order": one_of("arrival", "price")}
        return cls(**{name: ok for name, check in checks.items() if (ok := check(values.get(name))) is not None})


def allocation_choice(streams: Collection[str]) -> AllocationChoice:
    """What is shared out, as the widgets hold it, at first as the address bar says; seeds the widgets."""
    held: AllocationChoice = st.session_state.get(_ALLOCATION) or _allocation_in_address(streams)
    for name, value in asdict(held).items():
        st.session_state.setdefault(f"allocation_{name}", value)
    values = {name: st.session_state[f"allocation_{name}"] for name in asdict(held)}
    choice = AllocationChoice(**values)
    st.session_state[_ALLOCATION] = choice
    return choice


def keep_rule(rules: Collection[str]) -> str:
    """The chosen rule if it is among these, else the first one; before its menu is drawn."""
    if st.session_state["allocation_rule"] not in rules:
        st.session_state["allocation_rule"] = next(iter(rules))
    return str(st.session_state["allocation_rule"])


def _allocation_in_address(streams: Collection[str]) -> AllocationChoice:
    given, plain = st.query_params.to_dict(), AllocationChoice()
    lose_unknown("allocation", {"stream": streams, "rule": RULES})
    allowed: Mapping[str, Collection[str]] = {
        "stream": streams, "rule": RULES, "belief": BELIEFS, "part": ("queries", "rules", "gains"),
    }  # fmt: skip
    words = {name: given[name] for name, values in allowed.items() if given.get(name) in values}
    numbers = {
        name: amount(given.get(name, ""), most) for name, most in (("noise", 1.0), ("money", 1e6), ("service", 0.9))
    }
    known = {name: value for name, value in numbers.items() if value is not None}
    return replace(plain, **words, **known)  # type: ignore[arg-type]


def allocation_view() -> AllocationView:
    """Where its canvas stands: as it last told, at first as the address bar says."""
    told = getattr(st.session_state.get(ALLOCATION_CANVAS), "view", None)
    held = told if isinstance(told, Mapping) else st.session_state.get(_ALLOCATION_VIEW, st.query_params.to_dict())
    view = AllocationView.from_mapping(held)
    st.session_state[_ALLOCATION_VIEW] = asdict(view)
    return view


def remember_allocation(choice: AllocationChoice, view: AllocationView) -> None:
    """Write the page into the address bar; defaults are left out."""
    state, plain = {**asdict(choice), **asdict(view)}, {**asdict(AllocationChoice()), **asdict(AllocationView())}
    write_address({name: str(value) for name, value in state.items() if value != plain[name]})
