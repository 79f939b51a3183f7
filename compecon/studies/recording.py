"""An arm's model kept, loaded anew and measured: the record of a run, the same for every experiment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from compecon.evaluation.evaluate_model import evaluate
from compecon.evaluation.reloaded import kept_model
from compecon.flops import forward_macs
from compecon.studies.experiment_run import ExperimentRun, record_name
from compecon.studies.frontier_plan import Study
from compecon.studies.survivors import SurvivorControl
from compecon.training.arms import Outcome, Start

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Survivors = Callable[["PreTrainedModel"], SurvivorControl]


def recorded(  # noqa: PLR0913 - a record says this much
    study: Study,
    start: Start,
    arm: str,
    target: float | None,
    outcome: Outcome,
    *,
    recovered: bool,
    survivors: Survivors | None = None,
) -> tuple[ExperimentRun, np.ndarray]:
    """Keep an arm's model in the study's folder, and measure it as loaded from there.

    Args:
        study: The task and the folder.
        start: What the arm began with.
        arm: Its name in records.
        target: Share of the MACs to come down to; None without.
        outcome: What it made.
        recovered: Whether it was trained after units were removed.
        survivors: Looks at the heads that are left; None not to.

    Returns:
        The record, and the predictions on the test split, shape (row, ...).
    """
    seed = start.settings.seed
    made = kept_model(outcome.model, study.tokenizer, study.folder, record_name(arm, target, seed, recovered=recovered))
    dev, test = (
        evaluate(made.model, made.tokenizer, study.task, split, max_tokens=study.plan.max_tokens)
        for split in ("dev", "test")
    )
    heads, neurons = zip(*outcome.values.counts(), strict=True)
    record = ExperimentRun(
        arm=arm,
        recovered=recovered,
        seed=seed,
        target=target,
        share=outcome.share,
        macs=forward_macs(made.model, start.n_tokens),
        n_tokens=start.n_tokens,
        heads=heads,
        neurons=neurons,
        metric=study.task.metric,
        dev=dev.estimate,
        test=test.estimate,
        steps=outcome.steps,
        seconds=round(outcome.seconds, 1),
        training_macs=outcome.training_macs,
        price=outcome.price,
        met=outcome.met,
        reloaded=True,
        survivors=None if survivors is None else survivors(made.model),
        cut=test.cut,
    )
    return record, test.predictions
