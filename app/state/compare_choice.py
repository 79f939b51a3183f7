"""What the Compare page can be asked for, and where its canvas can look. Loads no Streamlit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeAlias, final

from app.state.attention_choice import DEVICES, VIEW_CHECKS, AttentionChoice
from app.state.values import Check, View, one_of, passing, share
from compecon.attention.policies import POLICIES

PARTS = ("text", "dataset", "table")
MAX_IN_TABLE = 6
BETWEEN = "|"  # names of the table's checkpoints in the address

Part: TypeAlias = Literal["text", "dataset", "table"]


def checks_among(checkpoints: Collection[str]) -> dict[str, Check]:
    """What the choices in an address have to be, by their names."""
    allowed = {"a": checkpoints, "b": checkpoints, "policy": POLICIES, "device": DEVICES, "part": PARTS}
    return {name: one_of(names) for name, names in allowed.items()}


@final
@dataclass(frozen=True)
class CompareChoice:
    """Which two checkpoints are compared, and on what."""

    a: str  # name in the catalog
    b: str  # another one
    text: str
    pair: str = ""  # second text, or ""
    policy: str = "top-k"  # key of the policy menu
    device: str = "auto"  # "auto", "cpu", "cuda" or "mps"
    part: Part = "text"  # what is shown: this text, a data set, or a table of checkpoints
    table: tuple[str, ...] = ()  # names of the checkpoints in the table; empty for the page's own choice

    def in_address(self, given: Mapping[str, str], checkpoints: Collection[str]) -> CompareChoice:
        """The same with what an address says, as far as it names something."""
        words = passing(given, checks_among(checkpoints))
        if "text" in given or "pair" in given:  # the default's second text belongs to the default's first
            words |= {"text": given.get("text", self.text), "pair": given.get("pair", "")}
        table = tuple(name for name in given.get("table", "").split(BETWEEN) if name in checkpoints)
        return replace(self, **words, table=table[:MAX_IN_TABLE])

    def side(self, name: str) -> AttentionChoice:
        """What one side computes."""
        return AttentionChoice(name, self.device, self.text, self.pair, self.policy)


@final
@dataclass(frozen=True)
class CompareView(View):
    """Where the canvas of the Compare page looks."""

    CANVAS, KEPT = "compare_canvas", "compare_view"
    CHECKS = MappingProxyType(
        {name: check for name, check in VIEW_CHECKS.items() if name not in ("tiles", "size")}
        | {"size_a": share, "size_b": share}
    )

    k: int = 0  # budget in keys; 0 for the page's own choice
    layer: int | None = None  # layer of the deeper model, from 0; None for the page's own choice
    head: int | None = None  # head, from 0; None likewise
    view: Literal["row", "received"] = "row"
    tokens: Literal["all", "content"] = "all"
    unit: Literal["nats", "bits"] = "nats"
    statistic: str = "gini"  # what colours the head atlases
    size_a: float = 1.0  # of A, if it is elastic: a share of its MACs
    size_b: float = 1.0
