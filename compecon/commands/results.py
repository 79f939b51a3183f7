"""The output of a finished command: a few lines for people, or one JSON object for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from compecon.commands.home import print_json
from compecon.training.processes import is_first

if TYPE_CHECKING:
    from compecon.evaluation.evaluate_model import Evaluation
    from compecon.tasks.task_metrics import Estimate
    from compecon.tasks.task_registry import AnyTask
    from compecon.training.finished import Trained


def print_trained(trained: Trained, task: AnyTask, *, as_json: bool) -> None:
    """A new checkpoint: its metrics, its size, and what it took beside what was expected."""
    if not is_first():
        return
    if as_json:
        print_json(_trained(trained, task))
        return
    for split, evaluation in trained.evaluations.items():
        for line in metric_lines(task, evaluation.metrics):
            typer.echo(f"{task.name} {split}: {line}")
        if evaluation.cut is not None:
            typer.echo(f"{task.name} {split}: {evaluation.cut}")
    typer.echo(
        f"MACs: {trained.macs:,} for a text of {trained.n_tokens} tokens, {trained.macs / trained.dense_macs:.3f} of "
        f"dense; {trained.shrunk.share:.3f} of those of heads and neurons"
    )
    _print_sizes(trained, task)
    if trained.shrunk.price is not None:
        met = {None: "", True: ", target met by the gates", False: ", cut to the target"}[trained.shrunk.met]
        typer.echo(f"price: {trained.shrunk.price:.4g} when the gates were frozen{met}")
    estimate, took = trained.estimate, trained.took
    typer.echo(
        f"time: {took.seconds:.0f} s, expected {estimate.seconds:.0f} s; "
        f"memory: {took.peak_bytes / 1e9:.2f} GB at most, {took.base_bytes / 1e9:.2f} GB before the training, "
        f"expected {estimate.memory_bytes / 1e9:.2f} GB for the training; "
        f"disk: {took.disk_bytes / 1e6:.1f} MB, expected {estimate.disk_bytes / 1e6:.1f} MB"
    )
    typer.echo(f"saved: {trained.folder}")


def _print_sizes(trained: Trained, task: AnyTask) -> None:
    for size in trained.sizes:
        for split, evaluation in size.evaluations.items():
            line = task.score.shown(evaluation.estimate)
            typer.echo(
                f"budget {size.budget:g}, {size.share:.3f} of the MACs: {task.name} {split}: {task.metric} {line}"
            )


def metric_lines(task: AnyTask, found: Mapping[str, Estimate]) -> list[str]:
    """Every metric with its interval, as people read it."""
    shown = {metric.name: metric for metric in task.metrics}
    return [f"{name} {shown.get(name, task.score).shown(value)}" for name, value in found.items()]


def metrics_of(evaluation: Evaluation) -> dict[str, Any]:
    """Every metric with its interval, for programs."""
    return {name: asdict(value) for name, value in evaluation.metrics.items()}


def _trained(trained: Trained, task: AnyTask) -> dict[str, Any]:
    return {
        "folder": str(trained.folder),
        "task": task.name,
        "metrics": {split: metrics_of(evaluation) for split, evaluation in trained.evaluations.items()},
        "cut": {split: each.cut.written() for split, each in trained.evaluations.items() if each.cut is not None},
        "macs": trained.macs,
        "dense_macs": trained.dense_macs,
        "n_tokens": trained.n_tokens,
        **asdict(trained.shrunk),
        **({"sizes": [size.written() for size in trained.sizes]} if trained.sizes else {}),
        "estimate": asdict(trained.estimate),
        "took": asdict(trained.took),
    }
