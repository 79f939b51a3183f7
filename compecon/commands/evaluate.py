"""`compecon evaluate`: how good a checkpoint is at a task, under a key budget or without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from compecon.commands.background import with_background
from compecon.commands.fields import read
from compecon.commands.options import Json, plainly
from compecon.runs.jobs.options import EVALUATE

_NOTE = "Queries read fewer keys but the model does the same work: masking saves reads, not time."


def _evaluate(params: Mapping[str, Any], json: Json = False) -> None:
    """Compute all metrics of a task with 95% intervals, with or without a key budget."""
    from compecon.runs.jobs.job_registry import RECIPES

    given = read(RECIPES["evaluate"].read, params)

    from compecon.callbacks import Callbacks
    from compecon.commands.home import measurements, print_json
    from compecon.commands.results import metric_lines
    from compecon.evaluation.at_budgets import measure_checkpoint

    with plainly():
        onlookers = Callbacks(say=lambda text: typer.echo(text, err=True))
        measured = measure_checkpoint(given, kept=measurements(), callbacks=onlookers)
    if json:
        print_json(measured.results())
        return
    for record in measured.records:
        budget = "" if len(measured.records) == 1 else f" {record.key.keys or 'all'} keys"
        for line in metric_lines(measured.task, record.metrics):
            typer.echo(f"{measured.task.name} {record.key.split}{budget}: {line}")
    first = measured.records[0]
    if first.cut is not None:
        typer.echo(str(first.cut))
    macs = "unknown" if first.macs is None else f"{first.macs:,}"
    typer.echo(f"MACs: {macs} for a text of {first.n_tokens} tokens")
    if any(record.key.policy for record in measured.records):
        typer.echo(_NOTE)
    if measured.n_recalled:
        typer.echo(
            f"{measured.n_recalled} of {len(measured.records)} were reused: the same weights had been measured before."
        )


evaluate = with_background(_evaluate, "evaluate", EVALUATE)
