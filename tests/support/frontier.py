"""Points of a frontier made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from compecon.views.frontier.frontier_points import FrontierPoint, ModelSize, Reading, Training

DENSE_MACS = 100.0
TRAINING = frozenset(field.name for field in fields(Training))
_POINT = FrontierPoint(
    key="local/a", name="a", family="incentive", origin="local", task="sst2", metric="accuracy", split="test"
)


def a_point(
    name: str = "a", macs: float | None = 50.0, quality: float | None = 0.8, half: float = 0.0, **more: Any
) -> FrontierPoint:
    """A point of SST-2 with MACs, their share of a hundred, and a metric with an interval of twice `half`.

    Args:
        name: Its name; its key is made of it, and what it is opened by.
        macs: Its MACs; None if they are not known.
        quality: Its metric; None if it was not measured.
        half: Half of the width of its interval; 0 for none.
        more: Other fields, those of its training and its size too.
    """
    measured = None
    if quality is not None:
        measured = Reading(quality, quality - half, quality + half) if half else Reading(quality)
    costs: Mapping[str, Reading] = {}
    if macs is not None:
        costs = {"macs": Reading(macs), "share": Reading(macs / DENSE_MACS)}
    made = {name: more.pop(name) for name in TRAINING if name in more}
    size = {name: more.pop(name) for name in ("heads", "neurons") if name in more}
    given: dict[str, Any] = {
        "key": f"local/{name}", "name": name, "quality": measured, "costs": costs, "checkpoint": f"/models/{name}",
        "training": Training(**made), "size": ModelSize(**size),
    }  # fmt: skip
    return replace(_POINT, **{**given, **more})


def dense(quality: float = 0.9, half: float = 0.0, **more: Any) -> FrontierPoint:
    """A dense point."""
    return a_point("dense", DENSE_MACS, quality, half, **{"family": "dense", "change": Reading(0.0), **more})
