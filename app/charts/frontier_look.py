"""How families look on the frontier, and what a mark says when it is pointed at."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Literal, TypeAlias, final

from compecon.views.frontier import Family, FrontierMark, FrontierView

Theme: TypeAlias = Literal["light", "dark"]
_LINE = 72  # letters a line of a hover
# Okabe and Ito's colours, told apart by all kinds of colour vision; lighter on dark paper. The first: dense.
COLOURS: Mapping[Theme, Sequence[str]] = {
    "light": ("#3A3F4A", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A8A8A"),
    "dark": ("#E3E6EC", "#3D9DE0", "#F0803C", "#22C29A", "#E29CC4", "#F2B63C", "#9AD4F5", "#A9A9A9"),
}
_SYMBOLS = ("circle", "circle", "square", "triangle-up", "pentagon", "triangle-down", "hexagon", "star")
_KINDS = ("dense", "incentive", "taylor", "fisher", "any budget", "magnitude", "uniform", "random")
_QUOTED = "diamond-open"
_STANDINGS = {
    "front": "on the front",
    "tied": "tied with the front, for all that the intervals say",
    "dominated": "dominated: another one costs less and is at least as good",
    "quoted": "quoted",
    "running": "still running",
    "failed": "failed",
}


@final
@dataclass(frozen=True)
class Look:
    """How a family is drawn.

    Attributes:
        colour: Of marks and lines.
        symbol: Of marks.
        dash: Of its front.
    """

    colour: str
    symbol: str
    dash: str


def is_quoted(family: Family) -> bool:
    """Whether a family's numbers are other people's."""
    return all(mark.point.origin == "quoted" for mark in family.marks)


def looks(families: Sequence[Family], theme: Theme) -> Mapping[str, Look]:
    """A look for each family. A kind looks the same on every task, with recovery or without; other kinds come after."""
    kinds = dict.fromkeys(_kind(family.name) for family in families)
    free = chain((place for place, kind in enumerate(_KINDS) if place and kind not in kinds), count(1))
    places = {kind: _KINDS.index(kind) if kind in _KINDS else next(free) for kind in kinds}
    return {family.name: _look(family, places[_kind(family.name)], theme) for family in families}


def _look(family: Family, place: int, theme: Theme) -> Look:
    colours, is_plain = COLOURS[theme], _kind(family.name) == family.name
    colour = colours[1 + (place - 1) % (len(colours) - 1)] if place else colours[0]
    symbol = _QUOTED if is_quoted(family) else _SYMBOLS[place % len(_SYMBOLS)]
    return Look(colour, symbol, "solid" if is_plain else "dot")


def _kind(name: str) -> str:
    return name.split(",")[0]


def hover(mark: FrontierMark, view: FrontierView) -> str:
    """What a mark says: its name, both numbers with their intervals, in what it differs, and where it is from.

    Returns:
        Lines with ``<br>`` between them. Names are anybody's, so that nothing in them is markup.
    """
    head, *lines = _wrapped(_sentences(mark, view))
    return "<br>".join([f"<b>{html.escape(head)}</b>", *map(html.escape, lines)])


def _sentences(mark: FrontierMark, view: FrontierView) -> Iterator[str]:
    point = mark.point
    yield point.name
    yield f"{view.y_title}: {interval(mark.y, mark.y_low, mark.y_high)}"
    yield f"{view.x_title}: {interval(mark.x, mark.x_low, mark.x_high)}"
    yield _STANDINGS[mark.standing]
    if mark.differs:
        yield mark.differs
    if point.setting:
        yield point.setting if "different setting" in point.setting else f"different setting: {point.setting}"
    yield from point.signs
    yield f"{'quoted' if point.origin == 'quoted' else 'measured here'}: {point.source or point.origin}"


def _wrapped(sentences: Iterator[str]) -> Iterator[str]:
    yield next(sentences)
    for sentence in sentences:
        yield from textwrap.wrap(sentence, _LINE)


def interval(value: float, low: float | None, high: float | None) -> str:
    """A number with its interval, if it has one."""
    told = f" ({amount(low)} to {amount(high)})" if low is not None and high is not None else ""
    return f"{amount(value)}{told}"


def amount(value: float) -> str:
    """A number as people write it: four digits, large ones with M or G."""
    for size, letter in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M")):
        if abs(value) >= size:
            return f"{value / size:.4g} {letter}"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
