"""Who is on the front: of all measured points, and family by family, with the areas that they dominate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from compecon.stats.pareto import hypervolume, pareto_front, tied_with_front
from compecon.views.frontier.drawn import Family, FrontierMark, Standing
from compecon.views.frontier.plotted_points import PlottedPoint

Numbers = NDArray[np.float64]
COST_GRAIN = 0.005
"""Costs are told apart by at least this share of the largest one shown: whole units meet no target exactly, and to be
cheaper by a hair is no reason to be on a front with a far worse model."""


@final
@dataclass(frozen=True)
class Fronts:
    """Fronts of places.

    Attributes:
        reference: Worst corner (x, y).
        higher_is_better: Whether more of y is better.
    """

    reference: tuple[float, float]
    higher_is_better: bool

    @property
    def _maximise(self) -> tuple[bool, bool]:
        return (False, self.higher_is_better)

    def front(self, places: Sequence[PlottedPoint]) -> tuple[str, ...]:
        """Keys of the measured places that no other one dominates, in order of x."""
        known = [place for place in places if place.is_measured]
        if not known:
            return ()
        on = pareto_front(self._grained(_table(known)), maximise=self._maximise)
        ends = [place for place, is_on in zip(known, on, strict=True) if is_on]
        return tuple(place.point.key for place in sorted(ends, key=_order))

    def tied(self, places: Sequence[PlottedPoint]) -> frozenset[str]:
        """Keys of the measured places that may be on the front, for all that their intervals say."""
        known = [place for place in places if place.is_measured]
        if not known:
            return frozenset()
        low, middle, high = (self._grained(each) for each in (_ends(known, 0), _table(known), _ends(known, 1)))
        may = tied_with_front(middle, low, high, maximise=self._maximise)
        return frozenset(place.point.key for place, is_in in zip(known, may, strict=True) if is_in)

    def _grained(self, table: Numbers) -> Numbers:
        grain = COST_GRAIN * self.reference[0]
        return np.column_stack([np.round(table[:, 0] / grain) * grain, table[:, 1]]) if grain > 0 else table

    def volume(self, places: Sequence[PlottedPoint]) -> float | None:
        """Area dominated within the reference, x as a share of the reference's; None without measured places."""
        known = [place for place in places if place.is_measured]
        if not known:
            return None
        x, y = self.reference
        scaled = _table(known) / np.array([x or 1.0, 1.0])
        return hypervolume(scaled, (x / (x or 1.0), y), maximise=self._maximise)


def families_of(places: Sequence[PlottedPoint], fronts: Fronts) -> tuple[tuple[Family, ...], tuple[str, ...]]:
    """Families with their marks, and the front of all measured places."""
    front = fronts.front(places)
    standings = _Standings(frozenset(front), fronts.tied(places))
    by_family: dict[str, list[PlottedPoint]] = {}
    for place in places:
        by_family.setdefault(place.point.family, []).append(place)
    names = sorted(by_family, key=lambda name: (all(p.point.origin == "quoted" for p in by_family[name]), name))
    return tuple(_family(name, by_family[name], fronts, standings) for name in names), front


@final
@dataclass(frozen=True)
class _Standings:
    front: frozenset[str]
    tied: frozenset[str]

    def of(self, place: PlottedPoint) -> Standing:
        point = place.point
        if point.origin == "quoted":
            return "quoted"
        if point.state != "done":
            return "running" if point.state == "running" else "failed"
        if point.key in self.front:
            return "front"
        return "tied" if point.key in self.tied else "dominated"


def _family(name: str, places: list[PlottedPoint], fronts: Fronts, standings: _Standings) -> Family:
    places = sorted(places, key=_order)
    settings = {place.point.key: _settings(place) for place in places}
    differing = _differing(settings.values())
    marks = tuple(
        FrontierMark(
            point=place.point,
            x=place.x.value,
            y=place.y.value,
            x_low=place.x.low,
            x_high=place.x.high,
            y_low=place.y.low,
            y_high=place.y.high,
            standing=standings.of(place),
            differs=", ".join((name, *(v for k, v in settings[place.point.key].items() if v and k in differing))),
        )
        for place in places
    )
    return Family(name, marks, fronts.front(places), fronts.volume(places))


def _settings(place: PlottedPoint) -> dict[str, str]:
    point = place.point
    return {
        "target": "" if point.target is None else f"target {point.target:.0%}",
        "price": "" if point.price is None or point.target is not None else f"price {point.price:.3g}",
        "seed": "" if point.seed is None else f"seed {point.seed}",
        "parent": f"from {point.parent}" if point.parent and point.origin != "experiment" else "",
        "origin": point.origin,
        "setting": point.setting.removeprefix("different setting: "),
    }


def _differing(settings: Iterable[Mapping[str, str]]) -> frozenset[str]:
    """Names of the settings in which the points of a family differ."""
    seen: dict[str, set[str]] = {}
    for one in settings:
        for name, value in one.items():
            seen.setdefault(name, set()).add(value)
    return frozenset(name for name, values in seen.items() if len(values) > 1)


def _order(place: PlottedPoint) -> tuple[float, float, str]:
    return place.x.value, place.y.value, place.point.key


def _table(places: Sequence[PlottedPoint]) -> Numbers:
    return np.array([(place.x.value, place.y.value) for place in places], dtype=np.float64)


def _ends(places: Sequence[PlottedPoint], end: int) -> Numbers:
    def of(reading: object, value: float) -> float:
        found = getattr(reading, ("low", "high")[end])
        return value if found is None else float(found)

    rows = [(of(place.x, place.x.value), of(place.judged, place.y.value)) for place in places]
    return np.array(rows, dtype=np.float64)
