"""Results that others published, as marks of their own: never measured here, and always of a different setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

from compecon.files.safe_reader import MEGABYTE, read_json
from compecon.paths import assets
from compecon.views.checked_values import number
from compecon.views.frontier.checked_numbers import words
from compecon.views.frontier.frontier_points import FrontierPoint, Reading
from compecon.views.frontier.names import QUOTED


@final
@dataclass(frozen=True)
class Statement:
    """A published bound, which cannot be drawn as a point: name of the method, what was stated, and where."""

    name: str
    stated: str
    source: str


def quoted_points() -> tuple[FrontierPoint, ...]:
    """The quoted points. Each states one cost, which is the only one it has."""
    return tuple(_point(quote) for quote in _content()["points"])


def quoted_statements() -> tuple[Statement, ...]:
    """What was stated without a point."""
    return tuple(
        Statement(words(one, "name"), words(one, "stated"), f"{words(one, 'source')}; {words(one, 'where')}")
        for one in _content()["bounds"]
    )


@lru_cache(maxsize=1)
def _content() -> Mapping[str, Any]:
    content: Mapping[str, Any] = read_json(assets() / "quoted.json", MEGABYTE)
    return content


def _point(quote: Mapping[str, Any]) -> FrontierPoint:
    quality, change = number(quote, "quality"), number(quote, "change")
    costs = {name: Reading(value) for name in ("share", "latency") if (value := number(quote, name)) is not None}
    return FrontierPoint(
        key=f"quoted/{quote['key']}",
        name=quote["name"],
        family=QUOTED,
        origin="quoted",
        task=quote["task"],
        metric=quote["metric"],
        split=quote["split"],
        quality=None if quality is None else Reading(quality),
        change=None if change is None else Reading(change),
        costs=costs,
        setting=f"different setting: {quote['setting']}",
        source=f"{quote['source']}; {quote['where']}; {quote['reading']}",
        facts=(("method", quote["method"]), ("stated", quote["stated"]), ("how it was read", quote["reading"])),
    )
