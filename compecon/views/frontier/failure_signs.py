"""Signs that an incentive failed, as the paper describes them, found in what was measured and told in words.

Three of them: quality falls off a cliff at a moderate price; attention does not become more unequal when compute is
scarce; its entropy stays high. The last two are told together with how much of the shift is selection: heads that
were peaked before and survived.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from compecon.views.frontier.names import cost_in_words, in_points
from compecon.views.frontier.points_of import FrontierPoint, Shift

_MODERATE = 0.25  # of the dense MACs: below that, a fall is what anybody would expect


def with_signs(points: Iterable[FrontierPoint]) -> tuple[FrontierPoint, ...]:
    """Points with the failure signatures that show in them.

    Args:
        points: All points there are: a cliff is seen from its neighbours.
    """
    known = tuple(points)
    cliffs = _cliffs(known)
    return tuple(_signed(point, cliffs.get(point.key)) for point in known)


def _signed(point: FrontierPoint, cliff: str | None) -> FrontierPoint:
    signs = (cliff, _gini(point), _entropy(point))
    found = tuple(sign for sign in signs if sign is not None)
    return replace(point, signs=found) if found else point


def _cliffs(points: tuple[FrontierPoint, ...]) -> dict[str, str]:
    """By key, where quality falls by more than its intervals between two neighbours in cost."""
    lines: dict[tuple[object, ...], list[FrontierPoint]] = {}
    for point in points:
        if point.state == "done" and point.origin != "quoted" and "share" in point.costs and point.quality is not None:
            origin = point.key.partition("/")[0]
            lines.setdefault((origin, point.task, point.split, point.family, point.seed, point.parent), []).append(
                point
            )
    found = {}
    for line in lines.values():
        line.sort(key=lambda one: -one.costs["share"].value)
        for dearer, cheaper in pairwise(line):
            if cheaper.costs["share"].value >= _MODERATE and _falls(dearer, cheaper):
                found[cheaper.key] = _cliff_words(dearer, cheaper)
    return found


def _falls(dearer: FrontierPoint, cheaper: FrontierPoint) -> bool:
    """Whether the cheaper one is worse for all that both intervals say."""
    before, after = dearer.quality, cheaper.quality
    if before is None or after is None or None in (before.low, before.high, after.low, after.high):
        return False
    if dearer.higher_is_better:
        return float(after.high or 0) < float(before.low or 0)
    return float(after.low or 0) > float(before.high or 0)


def _cliff_words(dearer: FrontierPoint, cheaper: FrontierPoint) -> str:
    before, after = (one.quality for one in (dearer, cheaper))
    if before is None or after is None:
        return ""
    shares = [cost_in_words("share", one.costs["share"].value) for one in (dearer, cheaper)]
    return (
        f"Cliff: from {shares[0]} to {shares[1]}, {cheaper.metric} falls from "
        f"{in_points(before.value, cheaper.metric)} to {in_points(after.value, cheaper.metric)}, more than both "
        "intervals explain. Try a target between the two."
    )


def _gini(point: FrontierPoint) -> str | None:
    shift = point.gini
    if shift is None or not _is_scarce(point) or shift.smaller > shift.dense:
        return None
    return (
        f"Gini not rising: in the row view it went from {shift.dense:.3f} in the dense model to "
        f"{shift.smaller:.3f}, although compute became scarce. {_selected(shift)} A smaller budget spent more "
        "evenly is no sign of better selection."
    )


def _entropy(point: FrontierPoint) -> str | None:
    shift = point.entropy
    if shift is None or not _is_scarce(point) or shift.smaller < shift.dense:
        return None
    return (
        f"Entropy high under scarcity: {shift.dense:.2f} nats in the dense model, {shift.smaller:.2f} now: attention "
        f"is spread as widely as before. {_selected(shift)}"
    )


def _is_scarce(point: FrontierPoint) -> bool:
    share = point.costs.get("share")
    return share is not None and share.value < 1


def _selected(shift: Shift) -> str:
    """How much of the shift the surviving heads had before any of it was learnt."""
    return (
        f"Its surviving heads alone had {shift.survivors:.3f} when dense: {shift.survivors - shift.dense:+.3f} comes "
        f"from which heads survived, {shift.smaller - shift.survivors:+.3f} was learned afterwards."
    ).replace("-0", "−0")
