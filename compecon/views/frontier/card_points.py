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
from compecon.checkpoints.locate import bundled_root
from compecon.errors import CompeconError
from compecon.paths import file_stamp
from compecon.views.checked_values import flag, number, text
from compecon.views.frontier.checked_numbers import (
    Costs,
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
from compecon.views.frontier.names import ANY_BUDGET, DENSE, family_of, is_higher_better, task_of
from compecon.views.frontier.points_of import CollectedPoints, CurvePoint, FrontierPoint, OtherSplit, Reading, each
from compecon.views.frontier.shapes import attention_reads, digest_of, size_of

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
    """A point for each checkpoint whose card states a metric.

    Args:
        entries: As the catalogue lists them.
    """
    cards, left_out = each(entries, lambda entry: _Card(entry, _record(entry)), lambda entry: one_line(entry.title))
    by_name = {card.entry.name: card for card in reversed(cards)}  # the first of a name wins, as in the catalogue
    mute = [card for card in cards if card.record.metrics and not card.metrics]
    left_out += tuple((one_line(card.entry.title), "its card states no readable number") for card in mute)
    points, more = each(
        (card for card in cards if card.metrics),
        lambda card: _point(card, _parent(card, by_name)),
        lambda card: one_line(card.entry.title),
    )
    return CollectedPoints(_with_dense_costs(tuple(points)), left_out + more)


def _record(entry: CheckpointEntry) -> Record:
    if entry.problem or entry.preflight is None:
        raise CompeconError(entry.problem or "it cannot be opened")
    return _read(entry.path, entry.origin == "bundled", file_stamp(entry.path / RECORD))


@lru_cache(maxsize=4096)
def _read(folder: Path, trusted: bool, _changed: tuple[int, int]) -> Record:
    return read_record(open_root(folder, bundled_root() if trusted else None), trusted=trusted)


def _parent(card: _Card, by_name: Mapping[str, _Card]) -> _Card | None:
    """The dense checkpoint it was made from, if it is here and its weights are the same ones still."""
    training = card.record.training
    parent, digest = by_name.get(text(training, "parent")), text(training, "parent_digest")
    if parent is None or parent is card or (digest and digest != digest_of(parent.entry.path, _trusted(parent.entry))):
        return None
    return parent


def _trusted(entry: CheckpointEntry) -> Path | None:
    return bundled_root() if entry.origin == "bundled" else None


def _point(card: _Card, parent: _Card | None) -> FrontierPoint:
    entry, training, metric = card.entry, card.record.training, card.metrics[0]
    family = _family(training)
    quality, name, n_tokens = reading(metric), words(metric, "name"), whole(training, "n_tokens")
    size = size_of(entry.path, _trusted(entry))
    costs, device = _costs(training, family)
    if size is not None:
        costs.add("parameters", float(size.parameters))
    point = FrontierPoint(
        key=f"bundled/{entry.name}" if entry.origin == "bundled" else f"local/{entry.path}",
        name=one_line(entry.name),
        family=family,
        origin="bundled" if entry.origin == "bundled" else "local",
        task=task_of(one_line(card.record.task)) or "unknown",
        metric=name,
        split=words(metric, "split"),
        higher_is_better=is_higher_better(name),
        quality=quality,
        change=Reading(0.0) if family == DENSE else difference(quality, parent.same(metric) if parent else None),
        costs=costs.known,
        n_tokens=n_tokens,
        device=device,
        seed=whole(training, "seed"),
        price=number(training, "price"),
        target=part(training, "target"),
        met=flag(training, "met"),
        heads=size.heads if size else (),
        neurons=size.neurons if size else (),
        checkpoint=entry.name if entry.origin == "bundled" else str(entry.path),
        source=f"card of {one_line(entry.name)}",
        facts=_facts(card),
        rows=whole(metric, "n"),
        elsewhere=_elsewhere(card.metrics[1:], parent),
        parent=words(training, "parent"),
        left=part(training, "share"),
    )
    return replace(_with_reads(point, is_causal=size.is_causal if size else False), curve=_curve(card, quality))


def _family(training: Mapping[str, Any]) -> str:
    settings = training.get("settings")
    recovered = not (isinstance(settings, Mapping) and "recovery" in settings and settings["recovery"] is None)
    return family_of(text(training, "method"), recovered=recovered, settings=settings)


def _costs(training: Mapping[str, Any], family: str) -> tuple[Costs, str]:
    costs = Costs()
    macs, dense = positive(training, "macs"), positive(training, "dense_macs")
    costs.add("macs", macs)
    costs.add("share", Reading(1.0) if family == DENSE else ratio(macs, dense))
    return costs, costs.add_latency(training.get("latency"))


def _with_reads(point: FrontierPoint, *, is_causal: bool) -> FrontierPoint:
    if not point.heads or not point.n_tokens:
        return point
    reads = Reading(float(attention_reads(point.heads, point.n_tokens, is_causal=is_causal)))
    return replace(point, costs={**point.costs, "reads": reads})


def _with_dense_costs(points: tuple[FrontierPoint, ...]) -> tuple[FrontierPoint, ...]:
    """Give dense checkpoints, whose cards tell no costs, the length and MACs that their children's cards tell of them.

    Those of another origin than their children's do not count: a folder could carry a bundled one's name.
    """
    told = {(child.origin, child.parent): child for child in reversed(points) if {"macs", "share"} <= set(child.costs)}
    return tuple(_as_told(point, told.get((point.origin, point.name))) for point in points)


def _as_told(point: FrontierPoint, child: FrontierPoint | None) -> FrontierPoint:
    if point.family != DENSE or child is None or "macs" in point.costs:
        return point
    macs = child.costs["macs"].value / child.costs["share"].value
    if not math.isfinite(macs):
        return point
    known = replace(point, n_tokens=child.n_tokens, costs={**point.costs, "macs": Reading(float(round(macs)))})
    return _with_reads(known, is_causal=False)


def _curve(card: _Card, full: Reading | None) -> tuple[CurvePoint, ...]:
    """Quality at fewer keys, where the card states it; reads are filled in once the length is known."""
    found = {}
    for metric in card.record.metrics:
        at, value = _AT_KEYS.fullmatch(words(metric, "name")), reading(metric)
        if (
            at
            and value
            and at[1] == words(card.metrics[0], "name")
            and metric.get("split") == card.metrics[0].get("split")
        ):
            found[int(at[2])] = CurvePoint(int(at[2]), None, value)
    if not found or full is None:
        return ()
    return (*(found[keys] for keys in sorted(found) if keys > 0), CurvePoint(None, None, full))


def told_elsewhere(folder: Path, metric: str, split: str) -> tuple[OtherSplit, ...]:
    """What a checkpoint's card states of a metric on other splits than the given one; () if it cannot be read."""
    try:
        record = _read(folder, False, file_stamp(folder / RECORD))
    except CompeconError:
        return ()
    others = [one for one in record.metrics if words(one, "name") == metric and words(one, "split") != split]
    return _elsewhere(others, None)


def _elsewhere(metrics: Sequence[Mapping[str, Any]], parent: _Card | None) -> tuple[OtherSplit, ...]:
    others = ((one, reading(one)) for one in metrics)
    return tuple(
        OtherSplit(words(one, "split"), value, difference(value, parent.same(one) if parent else None), whole(one, "n"))
        for one, value in others
        if value is not None
    )


def _facts(card: _Card) -> tuple[tuple[str, str], ...]:
    training = card.record.training
    steps, method = whole(training, "steps"), words(training, "method")
    facts = (
        ("title", one_line(card.entry.title)),
        ("made by", {"budget dropout": f"budget dropout ({ANY_BUDGET})"}.get(method, method)),
        ("made from", words(training, "parent")),
        ("heads and neurons that remain", percent(training, "share")),
        ("steps", f"{steps:,}" if steps else ""),
    )
    return tuple((name, value) for name, value in facts if value)
