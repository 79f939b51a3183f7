"""Thresholds of the measured streams predicted from texts: errors in and out of distribution, and what they earn."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from compecon.allocation.streams.bundled_streams import open_stream
from compecon.allocation.streams.predicted_value import Gain, Skill, gains
from compecon.benchmarks.figures import Figure, Settings, Table
from compecon.checkpoints.load import load_checkpoint
from compecon.errors import CompeconError
from compecon.paths import assets
from compecon.stats.intervals import Interval
from compecon.studies.predicted_streams import KnownTexts, known_texts, skill_inside, skill_outside
from compecon.studies.shipped import FAMILIES
from compecon.tasks.task import Task
from compecon.tasks.task_registry import read_task

_UNIT = {"keys": "keys", "MACs": "million MACs"}


def measure(settings: Settings) -> list[Table]:
    """A table of errors, and one of gains for each stream.

    Raises:
        CompeconError: If the environment variable COMPECON_DATA does not name a folder with sst2 and stsb.
    """
    known = read_known(tuple(FAMILIES) if not settings.quick else tuple(FAMILIES)[:1])
    judged = [gains_table(each.stream.unit, gains(each.stream, each.features[name])) for name, each in known]
    return [errors_table([(name, each) for name, each in known if each.stream.unit == "keys"]), *judged]


def read_known(families: Sequence[str]) -> list[tuple[str, KnownTexts]]:
    """The bundled streams of some checkpoints, with embeddings of their texts by each of them."""
    folder = os.environ.get("COMPECON_DATA", "")
    if not folder:
        raise CompeconError("The texts are not bundled. Set COMPECON_DATA to a folder with sst2 and stsb.")
    checkpoints = [load_checkpoint(assets() / "checkpoints" / name) for name in FAMILIES]
    found: list[tuple[str, KnownTexts]] = []
    for name in families:
        task = read_task(FAMILIES[name], Path(folder))
        if not isinstance(task, Task):
            raise CompeconError(f"{task.name} has no rows to answer.")
        known = known_texts(open_stream(f"{name}-keys"), task, checkpoints)
        found += [(name, known), (name, KnownTexts(open_stream(f"{name}-sizes"), known.features))]  # the same rows
    return found


def errors_table(known: Sequence[tuple[str, KnownTexts]]) -> Table:
    """Errors of predicted thresholds on streams of one unit, beside those of predicting the mean."""
    figures = []
    for name, each in known:
        for checkpoint in each.features:
            label = f"{each.stream.name}, embeddings of {checkpoint}"
            figures += _skill_figures(f"{label}: in distribution", skill_inside(each, checkpoint), each.stream.unit)
            for other, target in known:
                if other != name:
                    found = skill_outside(each, target, checkpoint)
                    figures += _skill_figures(f"{label}: tested on {target.stream.name}", found, each.stream.unit)
    notes = (
        "Threshold: the smallest budget from which on the answer stays correct. Queries without one are left out.",
        "In distribution: each row by a predictor fitted to the other four folds. Intervals: bootstrap over rows, 95%.",
        "Improvement: error of predicting the training rows' mean, minus this error; above 0 is skill.",
    )
    return Table("thresholds: predicted from texts", tuple(figures), notes)


def _skill_figures(label: str, found: Skill, unit: str) -> list[Figure]:
    rows = (
        ("mean absolute error", found.error, unit),
        ("improvement on the mean", found.gain, unit),
        ("rank correlation", found.rank, ""),
        ("calibration slope", found.slope, ""),
    )
    head = f"{label}, {found.n} queries; "
    return [
        Figure(f"{head if n == 0 else '  '}{what} 95% {_interval(value)}", of, (value.value,))
        for n, (what, value, of) in enumerate(rows)
    ]


def gains_table(unit: str, found: Sequence[Gain]) -> Table:
    """Correct answers when a budget is shared, minus those when all queries get the same, at equal totals."""
    scale = 1e6 if unit == "MACs" else 1.0
    figures = []
    for gain in found:
        label = f"{gain.mean_budget / scale:.4g} {_UNIT[unit]} per query: the same for all"
        figures.append(Figure(label, "", (gain.same,)))
        for name, words in _WORDS.items():
            more: Interval = getattr(gain, name)
            figures.append(Figure(f"  {words} 95% {_interval(more)}", "", (more.value,)))
    notes = ("Differences of real outcomes at the same total, bootstrap over queries; hindsight is an oracle.",)
    return Table(f"thresholds: {found[0].stream}, one market", tuple(figures), notes)


_WORDS = {
    "hindsight": "added, knowing the outcomes",
    "thresholds": "added, by predicted thresholds",
    "chances": "added, by predicted chances at each level",
}


def _interval(found: Interval) -> str:
    return f"[{found.low:+.3f}, {found.high:+.3f}]"
