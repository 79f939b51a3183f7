"""All points that there are: checkpoints, runs, experiments, stored measurements, and what others published."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

from compecon.checkpoints.catalog import CheckpointEntry
from compecon.evaluation.evaluation_records import EvaluationRecord
from compecon.runs.history import History
from compecon.runs.run_record import RunRecord
from compecon.views.frontier.card_points import checkpoint_points
from compecon.views.frontier.curve_points import measured_points, with_curves
from compecon.views.frontier.experiment_points import experiment_points, experiment_reports
from compecon.views.frontier.failure_signs import with_cliffs
from compecon.views.frontier.frontier_points import CollectedPoints, FrontierPoint, Reading
from compecon.views.frontier.names import DENSE
from compecon.views.frontier.quoted_points import quoted_points
from compecon.views.frontier.run_points import run_points
from compecon.views.frontier.size_points import as_size


@final
@dataclass(frozen=True)
class Sources:
    """Where points come from; what is left empty adds none."""

    entries: tuple[CheckpointEntry, ...] = ()  # checkpoints, as the catalogue lists them
    records: tuple[RunRecord, ...] = ()
    # by a run's name, the metrics of those that are not done
    histories: Mapping[str, History] = field(default_factory=dict)
    evaluations: tuple[EvaluationRecord, ...] = ()
    reports: tuple[Path, ...] = field(default_factory=experiment_reports)  # files of experiments' reports
    has_quoted: bool = True  # whether to add what others published


def all_points(sources: Sources) -> CollectedPoints:
    """Every point, each with a key and a name of its own, and what could not become one with the reason.

    A checkpoint that a run made is shown once, as the run.
    """
    runs = run_points(sources.records, sources.histories)
    made = {os.path.realpath(point.checkpoint) for point in runs.points if point.checkpoint}
    entries = tuple(entry for entry in sources.entries if os.path.realpath(entry.path) not in made)
    cards = checkpoint_points(entries)
    measured = measured_points(entries, sources.evaluations, cards.points)
    names = {point.name for point in measured}
    left_out = tuple((name, reason) for name, reason in cards.left_out if name not in names)
    found = CollectedPoints(cards.points + measured, left_out) + runs
    bundled = {entry.name: entry.path for entry in entries if entry.origin == "bundled"}
    opened = {point.checkpoint for point in found.points if point.checkpoint}
    folders = {checkpoint: bundled.get(checkpoint, Path(checkpoint)) for checkpoint in opened}
    found = CollectedPoints(with_curves(found.points, sources.evaluations, folders), found.left_out)
    for report in sources.reports:
        found += experiment_points(report)
    if sources.has_quoted:
        found += CollectedPoints(quoted_points())
    points = _with_dense_time([_counted(point) for point in _with_estimates(found.points)])
    return CollectedPoints(with_cliffs(_told_apart(points)), found.left_out)


def _with_estimates(points: Sequence[FrontierPoint]) -> Iterator[FrontierPoint]:
    """MACs of what is still running, from its gates' share of its parent's; its source says that they are estimated."""
    parents = {(one.task, one.name): one for one in points if one.family == DENSE and "macs" in one.costs}
    for point in points:
        parent, share = parents.get((point.task, point.training.parent)), point.cost("share")
        if point.state == "done" or share is None or parent is None:
            yield point
        else:
            macs = Reading(round(share * parent.costs["macs"].value))
            yield replace(point, costs={**point.costs, "macs": macs}, n_tokens=parent.n_tokens)


def _counted(point: FrontierPoint) -> FrontierPoint:
    """A point with what its size says of its costs: parameters, and reads at the length its other costs are for."""
    size, n_tokens, costs, curve = point.size, point.n_tokens, dict(point.costs), point.curve
    if size.parameters is not None:
        costs["parameters"] = Reading(float(size.parameters))
    if size.heads and n_tokens:
        costs["reads"] = Reading(float(size.reads(n_tokens)))
        curve = tuple(replace(one, reads=float(size.reads(n_tokens, one.keys))) for one in curve)
    return replace(point, costs=costs, curve=curve)


def _with_dense_time(points: Sequence[FrontierPoint]) -> tuple[FrontierPoint, ...]:
    """A dense model takes all of its own time, in every setting that its task was timed in."""
    settings: dict[str, dict[str, Reading]] = defaultdict(dict)
    for point in points:
        if point.origin != "quoted":
            settings[point.task].update({name: Reading(1.0) for name in point.costs if name.startswith("latency")})
    return tuple(
        replace(point, costs={**settings[point.task], **point.costs})
        if point.family == DENSE and point.costs.get("share") == Reading(1.0)
        else point
        for point in points
    )


def _told_apart(points: Sequence[FrontierPoint]) -> tuple[FrontierPoint, ...]:
    """Points with keys and, within a task, names of their own: of several with a name, each gets the end of its key.

    Sizes of an elastic checkpoint take the name that their whole is given.
    """
    once = {point.key: point for point in points}
    names = Counter((point.task, point.name) for point in once.values())
    clashing = {key for key, point in once.items() if names[point.task, point.name] > 1}
    clashing |= {once[key].whole for key in clashing} - {""}
    return tuple(
        _with_tail(point, once.get(point.whole, point)) if (point.whole or point.key) in clashing else point
        for point in once.values()
    )


def _with_tail(point: FrontierPoint, whole: FrontierPoint) -> FrontierPoint:
    if point.budget is None:
        return replace(point, name=f"{point.name} ({_tail(point)})")
    return as_size(point, f"{whole.family.partition(', ')[2]} ({_tail(whole)})")


def _tail(point: FrontierPoint) -> str:
    origin, _, rest = point.key.partition("/")
    tails = {"run": rest[-6:], "bundled": origin, "experiment": point.key, "local": Path(rest).parent.name}
    return tails.get(point.origin) or rest
