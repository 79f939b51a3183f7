"""Which units should pay: trainings that priced attention heads alone, FFN neurons alone, or both."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from compecon.views.frontier.frontier_points import FrontierPoint
from compecon.views.frontier.names import HEADS_ONLY, INCENTIVE, NEURONS_ONLY, change_in_points, is_higher_better
from compecon.views.frontier.study_marks import Study, StudyMark, study_marks

UNITS = {"heads": "attention only", "neurons": "FFN only", "both": "attention and FFN together"}
_FAMILIES = {HEADS_ONLY: "heads", NEURONS_ONLY: "neurons", INCENTIVE: "both"}
_SAME = 0.02  # of the dense MACs: counts are whole units, so targets are met within one
_COMMON_SHARE = 0.8
_BASES = {"sst2": "sentiment", "stsb": "similarity", "sick": "entailment"}


def ablation_view(points: Iterable[FrontierPoint], task: str) -> Study:
    """Attention only, FFN only, and both at equal MACs: trainings by `UNITS` and cost, and which kind is better."""
    asked, marks = study_marks(points, task, lambda point: _FAMILIES.get(point.family))
    marks.sort(key=lambda mark: (list(UNITS).index(mark.kind), mark.share, mark.point.key))
    sentences = _compared(marks, asked.metric)
    missing = [title for kind, title in UNITS.items() if all(mark.kind != kind for mark in marks)]
    if missing:
        sentences.append(
            f"No training here put a price on {' or '.join(missing)}. Run these commands to compare them at equal MACs."
        )
    return Study(tuple(marks), asked.metric, tuple(sentences), _commands(asked.task, marks) if missing else ())


def _commands(task: str, marks: Sequence[StudyMark]) -> tuple[str, ...]:
    """What is missing at the share that every kind can reach: attention alone is a third of the MACs."""
    there = {mark.kind for mark in marks if abs(mark.share - _COMMON_SHARE) <= _SAME}
    base = _BASES.get(task, "CHECKPOINT")
    return tuple(
        f"compecon train --task {shlex.quote(task)} --base {base} --target-macs {_COMMON_SHARE} --units {kind} "
        f"--out {base}-{kind}-{100 * _COMMON_SHARE:.0f}"
        for kind in UNITS
        if kind not in there
    )


def _compared(marks: Sequence[StudyMark], metric: str) -> list[str]:
    """A sentence for each share at which there are trainings of several kinds."""
    found = []
    for share, group in _at_equal_cost(marks):
        values = {kind: _mean([mark for mark in group if mark.kind == kind]) for kind in UNITS}
        known = {kind: value for kind, value in values.items() if value is not None}
        if len(known) > 1:
            found.append(_sentence(share, known, group, metric))
    return found


def _at_equal_cost(marks: Sequence[StudyMark]) -> list[tuple[float, list[StudyMark]]]:
    """Groups of trainings whose MACs are the same, within a fiftieth of the dense ones."""
    groups: list[tuple[float, list[StudyMark]]] = []
    for mark in sorted(marks, key=lambda one: one.share):
        if groups and mark.share - groups[-1][0] <= _SAME:
            groups[-1][1].append(mark)
        else:
            groups.append((mark.share, [mark]))
    return groups


def _mean(marks: Sequence[StudyMark]) -> float | None:
    """Mean change from dense, each seed counting the same; None unless all are known."""
    changes = [mark.change.value for mark in marks if mark.change is not None]
    return sum(changes) / len(changes) if changes and len(changes) == len(marks) else None


def _sentence(share: float, known: dict[str, float], group: Sequence[StudyMark], metric: str) -> str:
    sign = 1 if is_higher_better(metric) else -1
    ranked = sorted(known, key=lambda kind: -sign * known[kind])
    changes = ", ".join(f"{UNITS[kind]} {change_in_points(known[kind], metric)}" for kind in ranked)
    n = sum(mark.kind in known for mark in group)
    if abs(known[ranked[0]] - known[ranked[-1]]) < 1e-9:
        return f"At {share:.0%} of the dense MACs they are equal: {changes} from dense, {n} trainings."
    best = f"{UNITS[ranked[0]]} {'keep' if ranked[0] == 'both' else 'keeps'} the most"
    return f"At {share:.0%} of the dense MACs {best}: {changes} from dense, {n} trainings.{_sureness(ranked, group)}"


def _sureness(ranked: Sequence[str], group: Sequence[StudyMark]) -> str:
    """Which kinds are within the intervals of the best; "" if none is."""
    first, *others = ranked
    tied = [UNITS[kind] for kind in others if not _are_apart(first, kind, group)]
    if not tied:
        return ""
    if len(tied) == len(others):
        return " The intervals overlap, so this order may be due to chance."
    return f" The intervals of {UNITS[first]} and {' and '.join(tied)} overlap, so their order may be due to chance."


def _are_apart(best: str, other: str, group: Sequence[StudyMark]) -> bool:
    """Whether each training of the one lies beyond the intervals of each of the other."""
    pairs = [(one.quality, two.quality) for one in group for two in group if (one.kind, two.kind) == (best, other)]
    return all(one.ends and two.ends and not one.overlaps(two) for one, two in pairs)
