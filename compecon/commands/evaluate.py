"""`compecon evaluate`: how good a checkpoint is at a task, under a key budget or without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from compecon.commands.background import with_background
from compecon.commands.fields import read
from compecon.commands.options import Json, plainly
from compecon.recipes.options import EVALUATE

_NOTE = "Queries read fewer keys, and the model does the same work: masking saves reads, not time."


def _evaluate(params: Mapping[str, Any], json: Json = False) -> None:
    """All metrics of a task with their 95 % intervals, under a key budget or without."""
    from compecon.recipes.registry import RECIPES

    given = read(RECIPES["evaluate"].read, params)

    from compecon.commands.results import metric_lines, print_json
    from compecon.recipes.measured import measure_checkpoint

    with plainly():
        measured = measure_checkpoint(given)
    if json:
        print_json(measured.results())
        return
    for line in metric_lines(measured.task, measured.found):
        typer.echo(f"{measured.task.name} {measured.split}: {line}")
    macs = "unknown" if measured.macs is None else f"{measured.macs:,}"
    typer.echo(f"MACs: {macs} for a text of {measured.found.n_tokens} tokens")
    if given["keys"] is not None or given["share"] is not None:
        typer.echo(_NOTE)


evaluate = with_background(_evaluate, "evaluate", EVALUATE)
