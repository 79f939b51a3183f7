"""Points of an elastic checkpoint: one for each size whose quality its record states."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from compecon.views.frontier.axes import readings
from compecon.views.frontier.checked_numbers import (
    costs_of,
    counts,
    part,
    percent,
    positive,
    ratio,
    reading,
    whole,
    words,
)
from compecon.views.frontier.frontier_points import CollectedPoints, FrontierPoint, ModelSize, OtherSplit, Reading

_ELASTIC = "elastic"  # the family of a checkpoint of which no size was measured
_MOST_SIZES = 200


def with_sizes(point: FrontierPoint, sizes: Any, dense_macs: float | None) -> CollectedPoints:
    """An elastic checkpoint and its smaller sizes, a point each.

    Args:
        point: The checkpoint as it is, all units.
        sizes: What its record states of its sizes, of unknown origin.
        dense_macs: MACs of its dense parent; None if unknown.

    Returns:
        The checkpoint alone if no smaller size was measured; and which sizes were not.
    """
    listed = sizes[:_MOST_SIZES] if isinstance(sizes, list) else []
    stated = {budget: size for size in reversed(listed) if (budget := part(size, "budget"))}
    stated.pop(1.0, None)  # all units: the point itself
    made = [_size(point, stated[budget], budget, dense_macs) for budget in sorted(stated, reverse=True)]
    smaller = tuple(one for one in made if readings(one))
    mute = tuple(one for one in made if not readings(one))
    if not smaller:
        reason = "no size of it has a measured quality, so only the whole is shown"
        return CollectedPoints((point,), ((point.name, reason),))
    left_out = tuple((one.name, "this size has no measured quality") for one in mute)
    found = (replace(point, budget=1.0, whole=point.key), *smaller)
    return CollectedPoints(tuple(as_size(one, point.name) for one in found), left_out)


def as_size(point: FrontierPoint, name: str) -> FrontierPoint:
    """A size with the name that its checkpoint goes by: sizes of one checkpoint are a family."""
    return replace(point, name=f"{name} at {point.budget:g}", family=f"{_ELASTIC}, {name}")


def export_command(point: FrontierPoint) -> str:
    """The command that writes a size as a checkpoint of its own; "" for a point that is none or cannot be opened."""
    if point.budget in (None, 1.0) or not point.checkpoint:
        return ""
    folder = "".join(letter if letter.isalnum() or letter in ".-_" else "-" for letter in point.name).strip("-.")
    return f"compecon export {shlex.quote(point.checkpoint)} {shlex.quote(folder)} --budget {point.budget!r}"


def _size(of: FrontierPoint, size: Mapping[str, Any], budget: float, dense_macs: float | None) -> FrontierPoint:
    found = tuple(_measured(of, size))
    here = next((one for one in found if one.split == of.split), None)
    macs = positive(size, "macs")
    costs, device = costs_of({"macs": macs, "share": ratio(macs, dense_macs)}, [size.get("latency")])
    return replace(
        of,
        key=f"{of.key}@{budget!r}",
        name=f"{of.name} at {budget:g}",
        budget=budget,
        whole=of.key,
        quality=here and here.quality,
        change=here and here.change,
        rows=here and here.rows,
        elsewhere=tuple(one for one in found if one is not here),
        curve=(),
        costs=costs,
        device=device,
        size=_units(size, is_causal=of.size.is_causal),
        training=replace(of.training, left=part(size, "share")),
        source=f"{of.source}, size {budget:g}",
        facts=(*(fact for fact in of.facts if fact[0] != _REMAIN), (_REMAIN, percent(size, "share"))),
        signs=(),
    )


_REMAIN = "heads and neurons that remain"


def _measured(of: FrontierPoint, size: Mapping[str, Any]) -> Iterator[OtherSplit]:
    """What was measured of a size, split by split, by the metric of the whole."""
    metrics, known = size.get("metrics"), {one.split: one for one in readings(of)}
    for metric in metrics if isinstance(metrics, list) else ():
        value, split, rows = reading(metric), words(metric, "split"), whole(metric, "n")
        if value is not None and words(metric, "name") == of.metric:
            yield OtherSplit(split, value, _change(value, rows, known.get(split)), rows)


def _change(value: Reading, rows: int | None, known: OtherSplit | None) -> Reading | None:
    """Against the dense parent, whose metric follows from that of the whole and its change on as many rows."""
    if known is None or known.change is None or known.rows != rows:
        return None
    return Reading(value.value - (known.quality.value - known.change.value))


def _units(size: Mapping[str, Any], *, is_causal: bool) -> ModelSize:
    units = size.get("units")
    pairs = units if isinstance(units, list) and all(isinstance(one, list) and len(one) == 2 for one in units) else []
    heads, neurons = ({"": [pair[place] for pair in pairs]} for place in (0, 1))
    return ModelSize(heads=counts(heads, ""), neurons=counts(neurons, ""), is_causal=is_causal)
