"""Records of a frontier experiment as the few tables a reader wants, with intervals. Nothing is trained here."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from compecon.compression.importance import IMPORTANCES
from compecon.stats.pareto import hypervolume
from compecon.studies.experiment_run import ExperimentRun, Records
from compecon.tasks.task_metrics import Estimate, Metric, paired


@dataclass(frozen=True)
class ArmAtTarget:
    """An arm at one target, over its seeds."""

    arm: str
    recovered: bool  # whether it was trained after units were removed
    target: float | None  # share of the MACs of heads and neurons to come down to
    seeds: tuple[int, ...]
    share: float  # mean share that is left
    dev: float  # mean dev metric
    test: tuple[float, ...]  # test metric of each seed, in the seeds' order
    change: Estimate  # test metric against the dense models of the same seeds: mean over seeds, interval over rows
    training_macs: float  # mean MACs of training after the dense model


@dataclass(frozen=True)
class Duel:
    """The incentive against the rival with the best mean test metric at a target: a choice in the rival's favour."""

    target: float  # share of the MACs of heads and neurons
    rival: str  # name of that rival, with recovery, of those that ran on all the incentive's seeds
    difference: Estimate  # incentive minus rival: mean over seeds, interval over rows
    seeds: int  # how many


@dataclass(frozen=True)
class Volume:
    """Hypervolume of an arm's points (share of MACs, test metric) with the dense models'."""

    arm: str  # its name, with recovery
    by_seed: tuple[float, ...]  # one volume per seed, in the order of the seeds that ran at every target
    mean: float  # their mean


def arms_at_targets(records: Records, metric: Metric, targets: np.ndarray) -> tuple[ArmAtTarget, ...]:
    """Every arm at every target; `targets` are those of the test split's rows."""
    everything = records.all()
    groups: dict[tuple[str, bool, float | None], list[ExperimentRun]] = {}
    for record in everything:
        groups.setdefault((record.arm, record.recovered, record.target), []).append(record)
    return tuple(
        ArmAtTarget(
            arm,
            recovered,
            target,
            seeds=tuple(record.seed for record in group),
            share=statistics.fmean(record.share for record in group),
            dev=statistics.fmean(record.dev.value for record in group),
            test=tuple(record.test.value for record in group),
            change=difference(records, _dense(everything, group), group, metric, targets),
            training_macs=statistics.fmean(record.training_macs for record in group),
        )
        for (arm, recovered, target), group in sorted(groups.items(), key=lambda item: str(item[0]))
    )


def duels(records: Records, metric: Metric, targets: np.ndarray) -> tuple[Duel, ...]:
    """The incentive against the best rival, target by target."""
    everything = [record for record in records.all() if record.recovered and record.target is not None]
    found = []
    for target in sorted({record.target for record in everything if record.target is not None}, reverse=True):
        ours = [record for record in everything if record.arm == "incentive" and record.target == target]
        rivals = [_like(everything, arm, ours) for arm in IMPORTANCES]
        complete = [group for group in rivals if ours and len(group) == len(ours)]
        if complete:
            best = max(complete, key=lambda group: statistics.fmean(record.test.value for record in group))
            gap = difference(records, best, ours, metric, targets)
            found.append(Duel(target, best[0].arm, gap, len(ours)))
    return tuple(found)


def volumes(records: Sequence[ExperimentRun], floor: float) -> tuple[Volume, ...]:
    """Hypervolume of each arm that was recovered, by seed; the reference is (1, `floor`).

    Only seeds on which an arm ran at every target count: fewer points would be a smaller volume for another reason.
    """
    points: dict[str, dict[int, list[tuple[float, float]]]] = {}
    compared = [each for each in records if each.recovered and each.arm in ("incentive", *IMPORTANCES)]
    targets = {record.target for record in compared}
    for record in compared:
        if record.target is not None:
            of_seed = points.setdefault(record.arm, {}).setdefault(record.seed, [])
            of_seed.append((record.share, record.test.value))
    found = []
    for arm, by_seed in sorted(points.items()):
        complete = [each for _, each in sorted(by_seed.items()) if len(each) == len(targets)]
        volume = tuple(hypervolume(each, (1.0, floor), maximise=(False, True)) for each in complete)
        if volume:
            found.append(Volume(arm, volume, statistics.fmean(volume)))
    return tuple(found)


def difference(
    records: Records,
    first: Iterable[ExperimentRun],
    second: Iterable[ExperimentRun],
    metric: Metric,
    targets: np.ndarray,
) -> Estimate:
    """Test metric of the second group minus that of the first, averaged over their runs, rows resampled in pairs."""
    one, two = (np.stack([records.predictions(record) for record in group]) for group in (first, second))
    return paired(metric, one, two, targets)


def _dense(records: Iterable[ExperimentRun], group: Sequence[ExperimentRun]) -> list[ExperimentRun]:
    seeds = {record.seed for record in group}
    return [record for record in records if record.arm == "dense" and record.seed in seeds]


def _like(records: Iterable[ExperimentRun], arm: str, ours: Sequence[ExperimentRun]) -> list[ExperimentRun]:
    wanted = {(record.seed, record.target) for record in ours}
    return [record for record in records if record.arm == arm and (record.seed, record.target) in wanted]
