"""Which points are on the front: of all measured ones, and family by family, with the areas that they dominate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from compecon.stats.pareto import hypervolume, pareto_front, tied_with_front
from compecon.views.frontier.drawn import Family, FrontierMark, Standing
from compecon.views.frontier.frontier_points import Reading

Numbers = NDArray[np.float64]
_COST_GRAIN = 0.005
"""Costs closer than this share of the largest one shown count as equal: whole units cannot meet a target exactly, and a
hair cheaper but far worse model should not be on the front."""


@final
@dataclass(frozen=True)
class Fronts:
    """Fronts of those marks that are measured; others neither are on one nor dominate."""

    reference: tuple[float, float]  # worst corner (x, y)
    higher_is_better: bool

    @property
    def _maximise(self) -> tuple[bool, bool]:
        return (False, self.higher_is_better)

    def front(self, marks: Sequence[FrontierMark]) -> tuple[str, ...]:
        """Keys of the marks that no other one dominates, in order of x."""
        known = _measured(marks)
        if not known:
            return ()
        on = pareto_front(self._grained(_table(known)[:, :, 1]), maximise=self._maximise)
        return tuple(mark.point.key for mark, is_on in zip(known, on, strict=True) if is_on)

    def tied(self, marks: Sequence[FrontierMark]) -> frozenset[str]:
        """Keys of the marks that may be on the front, as far as their intervals can tell."""
        known = _measured(marks)
        if not known:
            return frozenset()
        low, middle, high = (self._grained(each) for each in np.moveaxis(_table(known), 2, 0))
        may = tied_with_front(middle, low, high, maximise=self._maximise)
        return frozenset(mark.point.key for mark, is_in in zip(known, may, strict=True) if is_in)

    def _grained(self, table: Numbers) -> Numbers:
        grain = _COST_GRAIN * self.reference[0]
        return np.column_stack([np.round(table[:, 0] / grain) * grain, table[:, 1]]) if grain > 0 else table

    def volume(self, marks: Sequence[FrontierMark]) -> float | None:
        """Area dominated within the reference, x as a share of the reference's; None without measured marks."""
        known = _measured(marks)
        if not known:
            return None
        x, y = self.reference
        scaled = _table(known)[:, :, 1] / np.array([x or 1.0, 1.0])
        return hypervolume(scaled, (x / (x or 1.0), y), maximise=self._maximise)


def families_of(marks: Sequence[FrontierMark], fronts: Fronts) -> tuple[Family, ...]:
    """Families with their marks, each with its standing among all of them."""
    front, tied = fronts.front(marks), fronts.tied(marks)
    by_family: dict[str, list[FrontierMark]] = defaultdict(list)
    for mark in sorted(marks, key=_order):
        by_family[mark.point.family].append(replace(mark, standing=_standing(mark, front, tied)))
    names = sorted(by_family, key=lambda name: (all(m.standing == "quoted" for m in by_family[name]), name))
    known = {name: _with_differences(name, by_family[name]) for name in names}
    return tuple(Family(name, own, fronts.front(own), fronts.volume(own)) for name, own in known.items())


def _standing(mark: FrontierMark, front: Sequence[str], tied: frozenset[str]) -> Standing:
    point = mark.point
    if point.origin == "quoted":
        return "quoted"
    if point.state != "done":
        return point.state
    if point.key in front:
        return "front"
    return "tied" if point.key in tied else "dominated"


def _with_differences(name: str, marks: Sequence[FrontierMark]) -> tuple[FrontierMark, ...]:
    """Marks of a family, each with those of its settings that are not the same for all of them."""
    settings = [_settings(mark) for mark in marks]
    differing = [len(set(values)) > 1 for values in zip(*settings, strict=True)]
    words = [[word for word, differs in zip(each, differing, strict=True) if word and differs] for each in settings]
    return tuple(replace(mark, differs=", ".join((name, *each))) for mark, each in zip(marks, words, strict=True))


def _settings(mark: FrontierMark) -> tuple[str, ...]:
    point, made = mark.point, mark.point.training
    return (
        "" if made.target is None else f"target {made.target:.0%}",
        "" if made.price is None or made.target is not None else f"price {made.price:.3g}",
        "" if made.seed is None else f"seed {made.seed}",
        f"from {made.parent}" if made.parent and point.origin != "experiment" else "",
        point.origin,
        point.setting.removeprefix("different setting: "),
    )


def _measured(marks: Sequence[FrontierMark]) -> list[FrontierMark]:
    return sorted((mark for mark in marks if mark.is_measured), key=_order)


def _order(mark: FrontierMark) -> tuple[float, float, str]:
    return mark.x.value, mark.y.value, mark.point.key


def _table(marks: Sequence[FrontierMark]) -> Numbers:
    """Shape (mark, 2, 3): of cost and quality the lower end, the number, and the upper end."""
    return np.array([(_ends(mark.x), _ends(mark.judged)) for mark in marks], dtype=np.float64)


def _ends(reading: Reading) -> tuple[float, float, float]:
    low, high = reading.ends or (reading.value, reading.value)
    return low, reading.value, high
