"""`compecon evaluate` and `compecon statistics`: a checkpoint measured on a task, under key budgets or without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from compecon.commands.background import with_background
from compecon.commands.fields import read
from compecon.commands.options import Json, plainly
from compecon.commands.progress_bar import terminal_callbacks
from compecon.runs.jobs.options import EVALUATE, STATISTICS

_NOTE = "Queries read fewer keys but the model does the same work: masking saves reads, not time."
_FINISHED = "budgets that were finished are kept, and nothing else was written."
_NOTHING = "no statistics were written."


def _evaluate(params: Mapping[str, Any], json: Json = False) -> None:
    """Compute all metrics of a task with 95% intervals, with or without a key budget."""
    from compecon.runs.jobs.job_registry import RECIPES

    given = read(RECIPES["evaluate"].read, params)

    from compecon.commands.home import measurements, print_json
    from compecon.commands.results import metric_lines

    with plainly(left=_FINISHED), terminal_callbacks() as callbacks:
        callbacks.say(f"Reading {given['task']} for {given['checkpoint']}.")
        from compecon.evaluation.at_budgets import measure_checkpoint

        measured = measure_checkpoint(given, kept=measurements(), callbacks=callbacks)
    if json:
        print_json(measured.results())
        return
    for record in measured.records:
        keys = record.key.keys
        budget = "" if len(measured.records) == 1 else f" {keys or 'all'} key{'' if keys == 1 else 's'}"
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


def _statistics(params: Mapping[str, Any], json: Json = False) -> None:
    """Compute mean Gini, entropy and decisions on rows of a task, under key budgets.

    Results are stored for the Compare page.
    """
    from compecon.runs.jobs.job_registry import RECIPES

    given = read(RECIPES["statistics"].read, params)

    from compecon.commands.home import measurements, print_json, table

    with plainly(left=_NOTHING), terminal_callbacks() as callbacks:
        callbacks.say(f"Reading {given['task']} for {given['checkpoint']}.")
        from compecon.evaluation.row_statistics import gather_statistics

        gathered = gather_statistics(given, kept=measurements(), callbacks=callbacks)
    results = gathered.results()
    if json:
        print_json({**results, "statistics": gathered.found.written()})
        return
    heads = ("keys", "Gini", "entropy (nats)", "right")
    rows = [
        (str(each["keys"] or "all"), f"{each['gini']:.4f}", f"{each['entropy']:.4f}", f"{each['right']:.1%}")
        for each in results["levels"]
    ]
    for line in table(heads, rows):
        typer.echo(line)
    typer.echo(results["sentence"])
    if gathered.is_recalled:
        typer.echo("Reused: the same weights had been measured before.")


evaluate = with_background(_evaluate, "evaluate", EVALUATE)
statistics = with_background(_statistics, "statistics", STATISTICS)
