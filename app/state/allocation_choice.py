"""What the Allocation page can be asked for, and where its canvas can look. Loads no Streamlit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, final

from app.state.values import Check, View, integer, one_of, passing, up_to
from compecon.allocation.rules import RULES
from compecon.views.allocation.choice_names import BELIEFS, Belief

PARTS = ("queries", "rules", "gains")


def checks_among(streams: Collection[str]) -> dict[str, Check]:
    """What the choices in an address have to be, by their names."""
    words = {"stream": streams, "rule": RULES, "belief": BELIEFS, "part": PARTS}
    numbers = {"noise": 1.0, "money": 1e6, "service": 0.9}
    return {name: one_of(allowed) for name, allowed in words.items()} | {n: up_to(m) for n, m in numbers.items()}


@final
@dataclass(frozen=True)
class AllocationChoice:
    """What the Allocation page allocates, and how."""

    stream: str = "sentiment-sizes"  # name of a bundled stream or of a mixture, or "file"
    rule: str = "shadow-price-repaired"  # key of a rule
    belief: Belief = "chance"  # which curves a rule takes the queries of a mixture to have
    noise: float = 0.0  # error of predicted thresholds, 0 to 1
    money: float = 0.0  # price per million tokens; 0 to count tokens alone
    service: float = 0.0  # share of the mean budget that every arrival is guaranteed, 0 to 0.9
    part: Literal["queries", "rules", "gains"] = "queries"  # what is shown below the canvas

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], streams: Collection[str]) -> AllocationChoice:
        """Take what names something, of these streams; the rest keeps its default."""
        return replace(cls(), **passing(values, checks_among(streams)))


def rule_among(rules: Collection[str], chosen: str) -> str:
    """The chosen rule if it is among those that fit, else the default one."""
    return chosen if chosen in rules else AllocationChoice().rule


@final
@dataclass(frozen=True)
class AllocationView(View):
    """Where the canvas of the Allocation page stands."""

    CANVAS, KEPT = "allocation_canvas", "allocation_view"
    CHECKS = MappingProxyType({"budget": integer, "query": integer, "order": one_of(("arrival", "price"))})

    budget: int = 20  # stop of the bar, from 0
    query: int = 0  # place of the chosen query in the stream
    order: Literal["arrival", "price"] = "arrival"  # how the queue is sorted
