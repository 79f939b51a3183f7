"""How families look on the frontier, and what a mark says when it is pointed at."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Literal, TypeAlias, final

from compecon.views.frontier.drawn import Family, FrontierMark, FrontierView
from compecon.views.frontier.names import change_in_points, cost_in_words, in_points, interval

Theme: TypeAlias = Literal["light", "dark"]
_LINE = 72  # letters a line of a hover
# Okabe and Ito's colours, distinguishable with all kinds of colour vision; lighter on dark paper. The first: dense.
COLOURS: Mapping[Theme, Sequence[str]] = {
    "light": ("#3A3F4A", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A8A8A"),
    "dark": ("#E3E6EC", "#3D9DE0", "#F0803C", "#22C29A", "#E29CC4", "#F2B63C", "#9AD4F5", "#A9A9A9"),
}
_SYMBOLS = ("hexagon", "circle", "square", "triangle-up", "pentagon", "triangle-down", "triangle-left", "star")
_KINDS = ("dense", "incentive", "taylor", "fisher", "any budget", "magnitude", "uniform", "random")
_PLACES: Mapping[str, int] = {  # elastic: the colour of "any budget", which is one checkpoint for all budgets too
    **{kind: place for place, kind in enumerate(_KINDS)},
    "elastic": 4 + len(COLOURS["light"]) - 1,
}
_VARIANT = 3  # places from the symbol of a kind to that of its variants
_QUOTED = "diamond-open"
_STANDINGS = {
    "front": "on the front",
    "tied": "tied with the front, as far as the intervals can tell",
    "dominated": "dominated: another costs less and is at least as good",
    "quoted": "quoted",
    "running": "still running",
    "failed": "failed",
}


@final
@dataclass(frozen=True)
class Look:
    """How a family is drawn: its marks and lines, the dash of its front, and its place in the legend."""

    colour: str
    symbol: str
    dash: str
    rank: int


def is_quoted(family: Family) -> bool:
    """Whether a family's numbers are other people's."""
    return all(mark.point.origin == "quoted" for mark in family.marks)


def looks(families: Sequence[Family], theme: Theme) -> Mapping[str, Look]:
    """A look for each family: a colour for its kind, the same on every task, and a symbol for itself."""
    kinds: dict[str, list[str]] = {}
    for family in families:
        kinds.setdefault(_kind(family.name), []).append(family.name)
    unused = (place for place, kind in enumerate(_KINDS) if place and kind not in kinds)
    free = chain(unused, (place for place in count(len(_KINDS)) if place not in _PLACES.values()))
    places = {kind: _PLACES[kind] if kind in _PLACES else next(free) for kind in kinds}
    return {
        family.name: _look(
            family, places[_kind(family.name)], kinds[_kind(family.name)].index(family.name), COLOURS[theme]
        )
        for family in families
    }


def _look(family: Family, place: int, variant: int, colours: Sequence[str]) -> Look:
    colour = colours[1 + (place - 1) % (len(colours) - 1)] if place else colours[0]
    symbol = _QUOTED if is_quoted(family) else _SYMBOLS[(place + _VARIANT * variant) % len(_SYMBOLS)]
    rank = place + 100 * variant + (1000 if is_quoted(family) else 0)
    return Look(colour, symbol, "dot" if variant else "solid", rank)


def _kind(name: str) -> str:
    """What "taylor, no recovery" has in common with "taylor"."""
    return name.split(",")[0]


def hover(mark: FrontierMark, view: FrontierView) -> str:
    """What a mark says: its name, both numbers with their intervals, how it differs, and where it is from.

    Lines with ``<br>`` between them. Names are of unknown origin, so nothing in them is markup.
    """
    head, *lines = _wrapped(_sentences(mark, view))
    return "<br>".join([f"<b>{html.escape(head)}</b>", *map(html.escape, lines)])


def _sentences(mark: FrontierMark, view: FrontierView) -> Iterator[str]:
    point = mark.point
    yield point.name
    yield f"{_y_words(mark, view)}, {'as quoted' if point.origin == 'quoted' else 'measured'}"
    yield cost_in_words(view.axes.x, mark.x.value) + (" ({:.3g} to {:.3g})".format(*mark.x.ends) if mark.x.ends else "")
    yield _STANDINGS[mark.standing]
    if mark.differs:
        yield mark.differs
    if point.setting:
        yield point.setting if "different setting" in point.setting else f"different setting: {point.setting}"
    yield from point.signs
    yield f"from {point.source or point.origin}"


def _y_words(mark: FrontierMark, view: FrontierView) -> str:
    metric, ends = mark.point.metric, interval(mark.y, mark.point.metric)
    if view.axes.y == "quality":
        return f"{metric} {in_points(mark.y.value, metric)}{ends}"
    return f"{change_in_points(mark.y.value, metric)} of {metric} against its dense parent{ends}"


def _wrapped(sentences: Iterator[str]) -> Iterator[str]:
    yield next(sentences)
    for sentence in sentences:
        yield from textwrap.wrap(sentence, _LINE)
