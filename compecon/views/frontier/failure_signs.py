"""Signs that an incentive failed, as the paper describes them, found in what was measured and put into words.

Three of them: quality falls off a cliff at a moderate price; attention does not become more unequal when compute is
scarce; its entropy stays high. The last two come with how much of the shift is selection: heads that were peaked before
and survived.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import final

from compecon.views.frontier.frontier_points import FrontierPoint
from compecon.views.frontier.names import cost_in_words, in_points

_MODERATE = 0.25  # of the dense MACs: below that, a fall is to be expected


@final
@dataclass(frozen=True)
class Shift:
    """Where a change in how unequally queries read comes from."""

    dense: float  # in all heads of the dense parent
    survivors: float  # in those of its heads that were kept
    smaller: float  # in the smaller model


def with_cliffs(points: Iterable[FrontierPoint]) -> tuple[FrontierPoint, ...]:
    """All points, with a sign where quality falls by more than its intervals between two neighbours in cost."""
    known = tuple(points)
    lines: dict[tuple[object, ...], list[FrontierPoint]] = defaultdict(list)
    for point in known:
        if point.state == "done" and point.origin != "quoted" and "share" in point.costs and point.quality is not None:
            source, made = point.key.partition("/")[0], point.training
            lines[source, point.task, point.split, point.family, made.seed, made.parent].append(point)
    cliffs = {}
    for line in lines.values():
        line.sort(key=lambda one: -one.costs["share"].value)
        for dearer, cheaper in pairwise(line):
            if cheaper.costs["share"].value >= _MODERATE and (sign := _cliff(dearer, cheaper)):
                cliffs[cheaper.key] = sign
    return tuple(
        replace(point, signs=(cliffs[point.key], *point.signs)) if point.key in cliffs else point for point in known
    )


def _cliff(dearer: FrontierPoint, cheaper: FrontierPoint) -> str:
    """The sign if the cheaper one is worse as far as both intervals can tell, else ""."""
    before, after = dearer.quality, cheaper.quality
    if before is None or after is None or before.ends is None or after.ends is None or before.overlaps(after):
        return ""
    if (after.value > before.value) is dearer.higher_is_better:
        return ""
    shares = [cost_in_words("share", one.costs["share"].value) for one in (dearer, cheaper)]
    return (
        f"Cliff: from {shares[0]} to {shares[1]}, {cheaper.metric} goes from "
        f"{in_points(before.value, cheaper.metric)} to {in_points(after.value, cheaper.metric)}, more than both "
        "intervals explain. Try a target between the two."
    )


def shift_signs(gini: Shift | None, entropy: Shift | None) -> tuple[str, ...]:
    """The signs in how attention shifted where compute became scarce, in the row view; entropy in nats."""
    signs = []
    if gini is not None and gini.smaller <= gini.dense:
        signs.append(
            f"Gini not rising: in the row view it went from {gini.dense:.3f} in the dense model to "
            f"{gini.smaller:.3f}, although compute became scarce. {_selected(gini)} A smaller budget spent more "
            "evenly does not indicate better selection."
        )
    if entropy is not None and entropy.smaller >= entropy.dense:
        signs.append(
            f"Entropy high under scarcity: {entropy.dense:.2f} nats in the dense model, {entropy.smaller:.2f} now: "
            f"attention is spread as widely as before. {_selected(entropy)}"
        )
    return tuple(signs)


def _selected(shift: Shift) -> str:
    """How much of the shift the surviving heads had before any of it was learnt."""
    return (
        f"Its surviving heads alone had {shift.survivors:.3f} when dense: {shift.survivors - shift.dense:+.3f} comes "
        f"from which heads survived, {shift.smaller - shift.survivors:+.3f} was learned afterwards."
    ).replace("-0", "−0")
