"""What the sizes of each arm cost: time measured, and all costs and the quality in one number."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from compecon.stats.pareto import hypervolume
from compecon.studies.elastic_arms import ARMS
from compecon.studies.experiment import floor
from compecon.studies.experiment_run import ExperimentRun
from compecon.studies.frontier_plan import Study
from compecon.studies.timed_run import Measured, timed

_BATCH = 8  # texts at a time for which volumes take the time


def latencies(study: Study) -> tuple[Measured, ...]:
    """Time of every size of every arm against the dense model, on the first seed."""
    first = study.plan.seeds[0]
    dense = study.fresh(first).eval()
    runs = [run for run in study.records.all() if run.seed == first and run.target is not None]
    return tuple(measured for run in runs for measured in timed(dense, run))


def family_volumes(study: Study, measured: Sequence[Measured]) -> Mapping[str, float]:
    """Hypervolume of each arm: test metric × time of eight texts of 64 tokens × training MACs, mean over seeds.

    It is the share of a box that the sizes dominate. The box goes from no time and no training to the time of the dense
    model and twice the training of the dearest arm, and from the metric of the commonest answer to that of the dense
    model; a size may be better than that.

    Args:
        study: The experiment.
        measured: Its latencies.
    """
    records, lowest = study.records.all(), floor(study.task, study.task.part("test"))
    sizes = [run for run in records if run.target is not None]
    times = {(run.arm, run.target): _time_of(run, measured) for run in sizes}
    dearest = 2 * max(run.training_macs for run in records)
    best = statistics.fmean(run.test.value for run in records if run.arm == "dense")
    volumes = {}
    for arm in ARMS:
        found = []
        for seed in sorted({run.seed for run in sizes if run.arm == arm}):
            runs = [run for run in sizes if (run.arm, run.seed) == (arm, seed)]
            points = [(times[run.arm, run.target], run.test.value, run.training_macs / dearest) for run in runs]
            found.append(hypervolume(points, (1.0, lowest, 1.0), maximise=(False, True, False)) / (best - lowest))
        if found:
            volumes[arm] = statistics.fmean(found)
    return volumes


def _time_of(run: ExperimentRun, measured: Sequence[Measured]) -> float:
    """Of a size, as measured on the first seed: sizes of other seeds have nearly the same shapes."""
    [ratio] = {
        each.latency.ratio
        for each in measured
        if each.batch == _BATCH and each.run.rpartition("-s")[0] == run.name.rpartition("-s")[0]
    }
    return ratio
