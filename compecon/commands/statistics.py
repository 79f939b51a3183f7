"""`compecon statistics`: how unequal attention is on rows of a task, and what is decided, under key budgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from compecon.commands.background import with_background
from compecon.commands.fields import read
from compecon.commands.options import Json, plainly
from compecon.runs.jobs.options import STATISTICS


def _statistics(params: Mapping[str, Any], json: Json = False) -> None:
    """Compute mean Gini, entropy and decisions on rows of a task, under key budgets.

    Results are stored for the Compare page.
    """
    from compecon.runs.jobs.job_registry import RECIPES

    given = read(RECIPES["statistics"].read, params)

    from compecon.commands.home import measurements, print_json, table
    from compecon.evaluation.row_statistics import gather_statistics

    with plainly():
        gathered = gather_statistics(given, kept=measurements())
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


statistics = with_background(_statistics, "statistics", STATISTICS)
