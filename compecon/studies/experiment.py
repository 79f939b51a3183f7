"""From a frontier experiment to its report: the base, the runs, the latencies, the tables."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from compecon.checkpoints.load import load_checkpoint
from compecon.checkpoints.pretrained import Base
from compecon.provenance import command_line, hardware, versions
from compecon.studies.bundled_models import LAYERS, Say, fresh_classifier
from compecon.studies.experiment_report import FrontierReport, measured_as
from compecon.studies.experiment_run import ExperimentRun
from compecon.studies.frontier_experiment import run_frontier
from compecon.studies.frontier_plan import FrontierPlan, Study
from compecon.studies.summary import arms_at_targets, duels, volumes
from compecon.studies.timed_run import Measured, timed
from compecon.tasks.task import Split, Task
from compecon.training.training_setup import ready_model, refuse_compacted


def frontier_report(study: Study) -> FrontierReport:
    """Run what is missing of an experiment, and put the report together."""
    runs = run_frontier(study)
    test, metric = study.task.part("test"), study.task.score
    study.say(f"{study.task.name}: measuring latency")
    return FrontierReport(
        task=study.task.name,
        metric=metric.name,
        test_rows=len(test),
        command=command_line(),
        settings=asdict(study.plan),
        floor=floor(study.task, test),
        arms=arms_at_targets(study.records, metric, test.targets),
        duels=duels(study.records, metric, test.targets),
        volumes=volumes(runs, floor(study.task, test)),
        measured=_latencies(study, runs),
        hardware=hardware(),
        versions=versions(),
        runs=runs,
        measured_as=measured_as(runs),
    )


def study_of_base(base: Base, task: Task, plan: FrontierPlan, folder: Path, say: Say) -> Study:
    """An experiment on the first three layers of a pretrained encoder, as the bundled checkpoints have them."""
    return Study(task, base.tokenizer, lambda seed: fresh_classifier(base, task, LAYERS, seed), plan, folder, say)


def study_of_checkpoint(source: str | Path, task: Task, plan: FrontierPlan, folder: Path, say: Say) -> Study:
    """An experiment on a checkpoint; it is trained dense for each seed, unless the plan says that it is dense already.

    Raises:
        CheckpointError: If it cannot be loaded, or is compacted already.
        ValueError: If the plan has no dense training and the checkpoint's head does not fit the task.
    """
    checkpoint = load_checkpoint(source)
    refuse_compacted(checkpoint, True)

    def fresh(seed: int) -> Any:
        model, knows = ready_model(checkpoint, task, seed)
        if plan.dense is None and not knows:
            raise ValueError(
                f"{checkpoint.name} is not trained on {task.name}. Let the experiment train it dense first."
            )
        return copy.deepcopy(model)

    return Study(task, checkpoint.tokenizer, fresh, plan, folder, say)


def floor(task: Task, test: Split) -> float:
    """The metric of always giving the commonest answer; 0 for a correlation, which that does not have."""
    if task.kind == "regression":
        return 0.0
    commonest = np.bincount(test.targets.astype(int)).argmax()
    value = task.score(np.full(len(test), commonest), test.targets).value
    return 0.0 if np.isnan(value) else value


def _latencies(study: Study, runs: Sequence[ExperimentRun]) -> tuple[Measured, ...]:
    """Of the incentive's models on the first seed; the time depends on how many units are left, not on which."""
    first = study.plan.seeds[0]
    dense = study.fresh(first).eval()
    found: list[Measured] = []
    for run in runs:
        if run.arm == "incentive" and run.seed == first:
            found += timed(dense, run)
    return tuple(found)
