"""Points of checkpoints, from what their cards say of them: bundled ones, and those in folders of this machine.

A card is a file of unknown origin: it is read through the gate, and each number of it on its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, final

from compecon.checkpoints.catalog import CheckpointEntry
from compecon.checkpoints.gate.folder_files import open_root
from compecon.checkpoints.gate.record import RECORD, Record, read_record
from compecon.errors import CompeconError
from compecon.paths import file_stamp
from compecon.views.checked_values import flag, number, text
from compecon.views.frontier.checked_numbers import (
    costs_of,
    difference,
    one_line,
    part,
    percent,
    positive,
    ratio,
    reading,
    whole,
    words,
)
from compecon.views.frontier.frontier_points import (
    CollectedPoints,
    CurvePoint,
    FrontierPoint,
    OtherSplit,
    Reading,
    Training,
    each,
)
from compecon.views.frontier.names import ANY_BUDGET, DENSE, family_of, is_higher_better, task_of
from compecon.views.frontier.shapes import digest_of, size_of, trusted_root
from compecon.views.frontier.size_points import with_sizes

_AT_KEYS = re.compile(r"(.{1,80}) at (\d{1,6}) keys?")


@final
@dataclass(frozen=True)
class _Card:
    entry: CheckpointEntry
    record: Record

    @property
    def metrics(self) -> tuple[Mapping[str, Any], ...]:
        """Of one metric at all keys, the reported split first."""
        plain = [one for one in self.record.metrics if reading(one) and not _AT_KEYS.fullmatch(words(one, "name"))]
        plain.sort(key=lambda one: words(one, "split") != "test")
        return tuple(one for one in plain if words(one, "name") == words(plain[0], "name"))

    def same(self, metric: Mapping[str, Any]) -> Reading | None:
        """This checkpoint's reading of another one's metric, on as many rows of the same split."""
        for one in self.metrics:
            if all(one.get(key) == metric.get(key) for key in ("name", "split", "n")):
                return reading(one)
        return None


def checkpoint_points(entries: Iterable[CheckpointEntry]) -> CollectedPoints:
    """A point for each checkpoint of the catalogue whose card states a metric."""
    cards, left_out = each(entries, lambda entry: _Card(entry, _record(entry)), lambda entry: one_line(entry.title))
    by_name = {card.entry.name: card for card in reversed(cards)}  # the first of a name wins, as in the catalogue
    mute = [card for card in cards if card.record.metrics and not card.metrics]
    left_out += tuple((one_line(card.entry.title), "its card states no readable number") for card in mute)
    found, more = each(
        (card for card in cards if card.metrics),
        lambda card: _points(card, _parent(card, by_name)),
        lambda card: one_line(card.entry.title),
    )
    points = [point for one in found for point in one.points]
    left_out += tuple(reason for one in found for reason in one.left_out)
    return CollectedPoints(_with_dense_macs(points), left_out + more)


def identity_of(entry: CheckpointEntry) -> dict[str, Any]:
    """Whose point it is, and what opens it."""
    if entry.origin == "bundled":
        return {"key": f"bundled/{entry.name}", "origin": "bundled", "checkpoint": entry.name}
    return {"key": f"local/{entry.path}", "origin": "local", "checkpoint": str(entry.path)}


def _record(entry: CheckpointEntry) -> Record:
    if entry.problem or entry.preflight is None:
        raise CompeconError(entry.problem or "it cannot be opened")
    return _read(entry.path, file_stamp(entry.path / RECORD))


@lru_cache(maxsize=4096)
def _read(folder: Path, _changed: tuple[int, int]) -> Record:
    root = trusted_root(folder)
    return read_record(open_root(folder, root), trusted=root is not None)


def _parent(card: _Card, by_name: Mapping[str, _Card]) -> _Card | None:
    """The dense checkpoint it was made from, if it is here and its weights are still the same."""
    training = card.record.training
    parent, digest = by_name.get(text(training, "parent")), text(training, "parent_digest")
    if parent is None or parent is card or (digest and digest != digest_of(parent.entry.path)):
        return None
    return parent


def _points(card: _Card, parent: _Card | None) -> CollectedPoints:
    """The checkpoint, and of an elastic one the sizes that were measured."""
    point, training = _point(card, parent), card.record.training
    if card.entry.preflight is None or not card.entry.preflight.elastic:
        return CollectedPoints((point,))
    return with_sizes(point, training.get("sizes"), positive(training, "dense_macs"))


def _point(card: _Card, parent: _Card | None) -> FrontierPoint:
    training, metric = card.record.training, card.metrics[0]
    family, quality, name = _family(training), reading(metric), words(metric, "name")
    macs = positive(training, "macs")
    share = Reading(1.0) if family == DENSE else ratio(macs, positive(training, "dense_macs"))
    costs, device = costs_of({"macs": macs, "share": share}, [training.get("latency")])
    return FrontierPoint(
        **identity_of(card.entry),
        name=one_line(card.entry.name),
        family=family,
        task=task_of(one_line(card.record.task)) or "unknown",
        metric=name,
        split=words(metric, "split"),
        higher_is_better=is_higher_better(name),
        quality=quality,
        change=Reading(0.0) if family == DENSE else difference(quality, parent.same(metric) if parent else None),
        rows=whole(metric, "n"),
        elsewhere=_elsewhere(card.metrics[1:], parent),
        curve=_curve(card, quality),
        costs=costs,
        n_tokens=whole(training, "n_tokens"),
        device=device,
        size=size_of(card.entry.path),
        training=Training(
            parent=words(training, "parent"),
            seed=whole(training, "seed"),
            price=number(training, "price"),
            target=part(training, "target"),
            met=flag(training, "met"),
            left=part(training, "share"),
        ),
        source=f"card of {one_line(card.entry.name)}",
        facts=_facts(card),
    )


def _family(training: Mapping[str, Any]) -> str:
    settings = training.get("settings")
    recovered = not (isinstance(settings, Mapping) and "recovery" in settings and settings["recovery"] is None)
    return family_of(text(training, "method"), recovered=recovered, settings=settings)


def _with_dense_macs(points: Sequence[FrontierPoint]) -> tuple[FrontierPoint, ...]:
    """Give dense checkpoints, whose cards state no costs, the length and MACs that their children's cards state.

    Those of another origin than their children's do not count: a folder could carry a bundled one's name.
    """
    children = {
        (child.origin, child.training.parent): child
        for child in reversed(points)
        if {"macs", "share"} <= set(child.costs)
    }
    return tuple(_with_macs(point, children.get((point.origin, point.name))) for point in points)


def _with_macs(point: FrontierPoint, child: FrontierPoint | None) -> FrontierPoint:
    if point.family != DENSE or child is None or "macs" in point.costs:
        return point
    macs = child.costs["macs"].value / child.costs["share"].value
    if not math.isfinite(macs):
        return point
    return replace(point, n_tokens=child.n_tokens, costs={**point.costs, "macs": Reading(float(round(macs)))})


def _curve(card: _Card, full: Reading | None) -> tuple[CurvePoint, ...]:
    """Quality at fewer keys, where the card states it; reads are filled in once the length is known."""
    found, reported = {}, card.metrics[0]
    for metric in card.record.metrics:
        at, value = _AT_KEYS.fullmatch(words(metric, "name")), reading(metric)
        is_same = at and at[1] == words(reported, "name") and metric.get("split") == reported.get("split")
        if at and value and is_same:
            found[int(at[2])] = CurvePoint(int(at[2]), None, value)
    if not found or full is None:
        return ()
    return (*(found[keys] for keys in sorted(found) if keys > 0), CurvePoint(None, None, full))


def other_splits(folder: Path, metric: str, split: str) -> tuple[OtherSplit, ...]:
    """What a checkpoint's card states of a metric on other splits than the given one; () if it cannot be read."""
    try:
        record = _read(folder, file_stamp(folder / RECORD))
    except CompeconError:
        return ()
    others = [one for one in record.metrics if words(one, "name") == metric and words(one, "split") != split]
    return _elsewhere(others, None)


def _elsewhere(metrics: Sequence[Mapping[str, Any]], parent: _Card | None) -> tuple[OtherSplit, ...]:
    return tuple(
        OtherSplit(words(one, "split"), value, difference(value, parent.same(one) if parent else None), whole(one, "n"))
        for one in metrics
        if (value := reading(one)) is not None
    )


def _facts(card: _Card) -> tuple[tuple[str, str], ...]:
    training = card.record.training
    steps, method = whole(training, "steps"), words(training, "method")
    return (
        ("title", one_line(card.entry.title)),
        ("made by", f"budget dropout ({ANY_BUDGET})" if method == "budget dropout" else method),
        ("made from", words(training, "parent")),
        ("heads and neurons that remain", percent(training, "share")),
        ("steps", f"{steps:,}" if steps else ""),
    )
