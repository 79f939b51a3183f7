"""What the Attention page can be asked for, and where its canvas can look. Loads no Streamlit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, final

from app.state.values import Check, View, integer, one_of, share
from compecon.views.attention.example_texts import examples_for
from compecon.views.attention.traces import DEFAULT_POLICY

DEVICES = ("auto", "cpu", "cuda", "mps")


@final
@dataclass(frozen=True)
class AttentionChoice:
    """What the Attention page computes."""

    checkpoint: str  # name in the catalog
    device: str  # "auto", "cpu", "cuda" or "mps"
    text: str
    pair: str  # second text, or ""
    policy: str  # key of the policy menu

    @property
    def digest(self) -> str:
        """Short name of this request; another text, another name."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:16]


VIEW_CHECKS: Mapping[str, Check] = {
    "k": integer,
    "layer": integer,
    "head": integer,
    "view": one_of(("row", "received")),
    "tokens": one_of(("all", "content")),
    "unit": one_of(("nats", "bits")),
    "statistic": one_of((
        "gini", "gini_small_sample", "entropy", "effective_number", "top_share_10", "bottom_share_50", "herfindahl",
        "gini_inside", "moved",
    )),
    "tiles": one_of(("numbers", "pictures")),
    "size": share,
}  # fmt: skip


@final
@dataclass(frozen=True)
class CanvasView(View):
    """Where the canvas looks."""

    CANVAS = "canvas"
    CHECKS = VIEW_CHECKS

    k: int = 0  # budget in keys; 0 for the page's own choice
    layer: int = 0
    head: int = 0  # from 0
    view: Literal["row", "received"] = "row"
    tokens: Literal["all", "content"] = "all"
    unit: Literal["nats", "bits"] = "nats"
    statistic: str = "gini"  # what colours the head atlas
    tiles: Literal["numbers", "pictures"] = "numbers"
    size: float = 1.0  # of an elastic checkpoint, a share of its MACs


def default_choice(checkpoint: str, task: str = "") -> AttentionChoice:
    """What the Attention page opens on: a checkpoint's best example, or its task's, under top-k."""
    example = examples_for(checkpoint, task)[0]
    return AttentionChoice(checkpoint, "auto", example.text, example.pair, DEFAULT_POLICY)
