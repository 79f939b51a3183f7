"""The points of a sweep: a grid or a list; all are checked before anything starts."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import final

from compecon.errors import CompeconError, RunError
from compecon.files.durable import Json
from compecon.runs.submission import recipe_named
from compecon.settings.setting import spelled

MAX_RUNS = 500
Point = Mapping[str, Json]


@final
@dataclass(frozen=True)
class Points:
    """The runs of a sweep: one recipe, shared settings, and those in which each differs."""

    recipe: str  # name of a recipe
    params: Mapping[str, Json]  # shared settings that are not its defaults; folders are absolute
    points: tuple[Point, ...]  # settings of each run on top of them; in the order of turns

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[Point]:
        return iter(self.points)


def grid(recipe: str, params: Mapping[str, Json], axes: Mapping[str, Sequence[Json]]) -> Points:
    """Every combination of the axes' values; the last axis changes fastest."""
    if empty := [name for name, values in axes.items() if not values]:
        raise RunError(f"{empty[0]} has no value. Give at least one.")
    _require_few(prod(map(len, axes.values())))
    return listed(recipe, params, [dict(zip(axes, each, strict=True)) for each in itertools.product(*axes.values())])


def listed(recipe: str, params: Mapping[str, Json], points: Iterable[Point]) -> Points:
    """Points one by one. An invalid or repeated one is refused, by name."""
    chosen, found = recipe_named(recipe), tuple(dict(point) for point in itertools.islice(points, MAX_RUNS + 1))
    _require_few(len(found))
    seen: dict[str, str] = {}
    shared: dict[str, Json] = {}
    whole = []
    for point in found:
        try:
            complete = chosen.checked({**params, **point})
        except CompeconError as error:
            raise RunError(f"In the point {named(point)}: {error}") from error
        if (twin := seen.setdefault(json.dumps(complete, sort_keys=True), named(point))) != named(point):
            raise RunError(f"The points {twin} and {named(point)} are the same run. Leave one of them out.")
        whole.append({name: complete[name] for name in point})
        shared.update((name, complete[name]) for name in params if name not in point)
    if len(seen) < len(found):
        raise RunError("A point appears twice. Leave one of them out.")
    return Points(recipe, shared, tuple(whole))


def named(point: Point) -> str:
    """A point in words."""
    return ", ".join(f"{name}={spelled(value)}" for name, value in point.items()) or "with no change"


def _require_few(n_points: int) -> None:
    if not 0 < n_points <= MAX_RUNS:
        raise RunError(f"A sweep has 1 to {MAX_RUNS} runs, got {'more' if n_points > MAX_RUNS else n_points}.")
