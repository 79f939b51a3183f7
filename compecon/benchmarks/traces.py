"""Real answers, direct and with a chain of thought: accuracy of every rule on queries it has not seen."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np

from compecon.allocation.rules import RULES
from compecon.allocation.streams.crossfit import Traces, earned
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.benchmarks.figures import Figure, Settings, Table
from compecon.errors import CompeconError

_FILE = Path("reasoning_traces") / "bbh_direct_vs_cot.csv"
_BUDGETS = (5, 20, 40, 80, 120, 160)  # tokens a query


def measure(settings: Settings) -> list[Table]:
    """A table for each budget.

    Raises:
        CompeconError: If the environment variable COMPECON_DATA does not name a folder with the traces.
    """
    traces = read_traces(Path(os.environ.get("COMPECON_DATA", "")) / _FILE)
    return [traces_table(traces, budget) for budget in (_BUDGETS[2:3] if settings.quick else _BUDGETS)]


def read_traces(file: Path) -> Traces:
    """Traces of a CSV file with the columns task, direct_tokens, direct_correct, cot_tokens and cot_correct.

    An answer of no token counts as one.

    Raises:
        CompeconError: If it is not there.
    """
    if not file.is_file():
        raise CompeconError(f"{file} is not there. Set COMPECON_DATA to the folder that holds {_FILE.parent}.")
    with file.open(newline="", encoding="utf-8") as rows:
        table = list(csv.DictReader(rows))
    tokens, correct = (
        np.array([[float(row[f"direct_{what}"]), float(row[f"cot_{what}"])] for row in table])
        for what in ("tokens", "correct")
    )
    return Traces([row["task"] for row in table], np.maximum(tokens, 1.0), correct)


def traces_table(traces: Traces, tokens_per_query: float) -> Table:
    """Accuracy of every rule that needs no formula, with its interval and the tokens used."""
    figures = []
    mean, accuracy = traces.tokens.mean(axis=0), traces.correct.mean(axis=0)
    steps = MeasuredCurve(np.array([[1.0, 2.0]]), np.array([[0.0, 1.0]]))
    for name, rule in ((name, RULES.make(name)) for name in RULES):
        if rule.refusal(steps):
            continue
        found = earned(traces, rule, tokens_per_query)
        _, low, high = found.interval()
        used = float(found.tokens.mean())
        by_coin = float(np.interp(used, mean, accuracy))
        label = f"{name}: 95% [{low:.3f}, {high:.3f}]; {used:.1f} tokens used; a coin with these {by_coin:.3f}"
        figures.append(Figure(label, "", (found.accuracy,)))
    notes = (
        f"{len(traces.groups):,} queries; curves by task from one half, spent on the other half, and back.",
        "Interval: bootstrap over queries. A coin: thinking at random, for as many tokens.",
    )
    return Table(f"traces: accuracy at {tokens_per_query:g} tokens a query", tuple(figures), notes)
