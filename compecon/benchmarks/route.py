"""Texts routed to sizes of an elastic checkpoint, against one size for all at the same mean MACs: answers and time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from compecon.allocation.utilities.arrays import Numbers
from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.timing import interleaved, one_thread, ratios
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.errors import CompeconError
from compecon.evaluation.evaluate_model import within
from compecon.evaluation.predict_rows import predict
from compecon.flops import forward_macs
from compecon.serving.router import FEATURES, Router, fit_router
from compecon.serving.served import Routed, route
from compecon.stats.intervals import mean_interval
from compecon.tasks.encode_rows import encode
from compecon.tasks.task import Split, Task
from compecon.tasks.task_registry import read_task

_TASK, _MAX_TOKENS = "sst2", 512
_LEVELS = 3  # mean budgets: what the sizes after the smallest one take
_SLOWER = 1.25
_STEPS = 20  # of a bisection


def measure(settings: Settings) -> list[Table]:
    """A table for each feature that a router can go by.

    Raises:
        CompeconError: If the environment variables do not name an elastic checkpoint and a folder with its texts.
    """
    source, folder = os.environ.get("COMPECON_ELASTIC", ""), os.environ.get("COMPECON_DATA", "")
    if not source or not folder:
        raise CompeconError(
            f"No elastic checkpoint is bundled. Set COMPECON_ELASTIC to one of {_TASK} (compecon train --elastic), and "
            "COMPECON_DATA to a folder with the texts."
        )
    checkpoint, task = load_checkpoint(source, "cpu"), read_task(_TASK, Path(folder))
    assert isinstance(task, Task)  # noqa: S101 - for the type checker
    with one_thread():
        return [
            routed_table(checkpoint, fit_router(checkpoint, task, feature=feature), task.part("test"), settings)
            for feature in FEATURES
        ]


def routed_table(checkpoint: Checkpoint, router: Router, rows: Split, settings: Settings) -> Table:
    """A router on rows that it was not fitted to."""
    if settings.quick:
        rows = Split(rows.texts[:200], rows.pairs[:200], rows.targets[:200])
    lengths = np.array([len(row["input_ids"]) for row in encode(checkpoint.tokenizer, rows, _limit(checkpoint))])
    figures: list[Figure] = []
    for size in router.sizes[1 : _LEVELS + 1]:
        found = route(checkpoint, rows.texts, router, pairs=rows.pairs, budget=mean_macs(checkpoint, size, lengths))
        figures += _compared(checkpoint, router, rows, found, lengths, settings.pick(5, 2))
    notes = (
        f"Fitted on {router.n_rows:,} other rows, judged on {len(rows):,}. One thread; tokenizing counts, and so does "
        "the first look of a router that goes by confidence. One size takes the same mean MACs as the routed texts "
        "did; the two take turns, and a ratio compares neighbours of one round.",
    )
    return Table(f"route: {checkpoint.name} by {router.feature}", tuple(figures), notes)


def _compared(
    checkpoint: Checkpoint, router: Router, rows: Split, found: Routed, lengths: Numbers, rounds: int
) -> list[Figure]:
    size = size_of_cost(checkpoint, router.sizes, float(found.macs.mean()), lengths)
    model = checkpoint.at(size).model
    alone = predict(model, checkpoint.tokenizer, encode(checkpoint.tokenizer, rows, _limit(checkpoint)))
    right = [np.asarray(each.argmax(dim=1).numpy() == rows.targets, float) for each in (alone, found.logits)]
    gain = mean_interval(100 * (right[1] - right[0]))
    sides = {
        "one": lambda: predict(model, checkpoint.tokenizer, encode(checkpoint.tokenizer, rows, _limit(checkpoint))),
        "routed": lambda: route(checkpoint, rows.texts, router, pairs=rows.pairs, price=found.price),
    }
    times = interleaved(sides, rounds=rounds, warm_up=1)
    speed = tuple(1000 * len(rows) / took for took in times["one"])
    return [
        Figure(f"{found.macs.mean():.3g} million MACs a text: one size ({size:.3g}), right answers", "%",
               (100 * float(right[0].mean()),)),
        Figure(f"  routed minus that, 95% [{gain.low:+.1f}, {gain.high:+.1f}] over rows", "points", (gain.value,)),
        Figure("  one size", "texts/s", speed),
        Figure("  routed: time, times that", "×", ratios(times["routed"], times["one"]), Goal("median", _SLOWER)),
    ]  # fmt: skip


def mean_macs(checkpoint: Checkpoint, size: float, lengths: Numbers) -> float:
    """Million MACs that a size takes of a text of these lengths, on average."""
    found, counts = np.unique(lengths, return_counts=True)
    model = checkpoint.at(size).model
    return float(np.average([forward_macs(model, int(n)) for n in found], weights=counts)) / 1e6


def size_of_cost(checkpoint: Checkpoint, sizes: Sequence[float], macs: float, lengths: Numbers) -> float:
    """The largest size that takes at most so many million MACs on average, to a thousandth of its budget."""
    low, high = min(sizes), max(sizes)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if mean_macs(checkpoint, middle, lengths) <= macs else (low, middle)
        if high - low < low / 1000:
            break
    return low


def _limit(checkpoint: Checkpoint) -> int:
    return within(checkpoint, _MAX_TOKENS)
