"""What a new checkpoint achieved against its parent: quality, MACs and time, as results and in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

import torch

from compecon.checkpoints.gate.intake import survey
from compecon.checkpoints.load import Checkpoint
from compecon.errors import TaskError
from compecon.evaluation.evaluate_model import Evaluation, evaluate_checkpoint
from compecon.evaluation.verdict import Against, sentence
from compecon.files.durable import plain
from compecon.latency import LatencyRatio, compare_latency
from compecon.tasks.task_metrics import Estimate, Metric, paired
from compecon.tasks.task_registry import AnyTask

_TIMED_S = 2.0
_ROUNDS = 100
_WARMUP = 5


@final
@dataclass(frozen=True, eq=False)
class Compared:
    """A new checkpoint beside its parent on one split.

    Attributes:
        task: The task.
        split: What both were measured on.
        new: What the new one scored.
        parent: What the parent did; None if it has no head for the task.
    """

    task: AnyTask
    split: str
    new: Evaluation
    parent: Evaluation | None

    @property
    def difference(self) -> Estimate | None:
        """How much larger the new one's metric is, on the same rows; None without a comparable parent."""
        if self.parent is None or len(self.parent.predictions) != len(self.new.predictions):
            return None
        return paired(self.task.score, self.parent.predictions, self.new.predictions, self.new.targets)


def compared(new: Checkpoint, parent: Checkpoint, task: AnyTask, split: str, *, max_tokens: int) -> Compared:
    """Measure both on the same rows.

    Args:
        new: The new checkpoint; it knows the task.
        parent: What it was made from, which may not.
        task: The task.
        split: Name of the split.
        max_tokens: Longer texts are cut.

    Raises:
        TaskError: If the new checkpoint does not know the task, or there is no such split.
    """
    found = evaluate_checkpoint(new, task, split, max_tokens=max_tokens)
    try:
        before = evaluate_checkpoint(parent, task, split, max_tokens=max_tokens)
    except TaskError:
        before = None
    return Compared(task, split, found, before)


def compare_with_parent(new: Checkpoint, parent: Checkpoint, on: Compared) -> dict[str, Any]:
    """The results of a run that made a checkpoint.

    Args:
        new: The new checkpoint; its record tells how it came about.
        parent: What it was made from.
        on: Both on the split that is reported.
    """
    made = _made(new)
    smaller = made["macs"] < made["dense_macs"]
    latency = time_against(new, parent, made["n_tokens"]) if smaller else None
    metric, difference = on.task.score, on.difference
    against = Against(
        task=on.task.name,
        split=on.split,
        metric=metric,
        value=on.new.estimate,
        parent=parent.name,
        difference=difference,
        macs=made["macs"] / made["dense_macs"],
        latency=latency,
    )
    return {
        "task": on.task.name,
        "metric": _told(metric, on.split, on.new.estimate),
        "parent": parent.name,
        "parent_metric": None if on.parent is None else _told(metric, on.split, on.parent.estimate),
        "difference": None if difference is None else plain(asdict(difference)),
        "macs": made["macs"],
        "parent_macs": made["dense_macs"],
        "n_tokens": made["n_tokens"],
        "cut": None if on.new.cut is None else on.new.cut.written(),
        "share": made["share"],
        "latency": None if latency is None else _timed(latency, made["n_tokens"]),
        "price": made["price"],
        "met": made["met"],
        "target": made["target"],
        "sentence": " ".join((sentence(against), *([str(cut)] if (cut := on.new.cut) and cut.n_cut else []))),
    }


def time_against(
    new: Checkpoint, parent: Checkpoint, n_tokens: int, *, threads: int | None = None, limit_s: float = _TIMED_S
) -> LatencyRatio:
    """Time one text of a length through both, in turns.

    Args:
        new: The smaller one.
        parent: The one it was made from.
        n_tokens: Length of the text; its words do not matter.
        threads: Threads of torch meanwhile; None for as many as it has.
        limit_s: About how long it may take.
    """
    words = min(one.preflight.vocabulary for one in (new, parent))
    ids = (torch.arange(n_tokens) % words)[None]

    def call(one: Checkpoint) -> Any:
        batch = {"input_ids": ids.to(one.device), "attention_mask": torch.ones_like(ids).to(one.device)}
        return lambda: one.model(**batch)

    return compare_latency(call(parent), call(new), repeats=_ROUNDS, warmup=_WARMUP, threads=threads, limit_s=limit_s)


def _made(new: Checkpoint) -> Mapping[str, Any]:
    """How a checkpoint came about, as its record says."""
    return survey(new.path).record.training


def _told(metric: Metric, split: str, estimate: Estimate) -> dict[str, Any]:
    about = {"name": metric.name, "split": split, "higher_is_better": metric.higher_is_better}
    return {**about, **plain(asdict(estimate))}


def _timed(ratio: LatencyRatio, n_tokens: int) -> dict[str, Any]:
    shown = {"ratio": ratio.ratio, "low": ratio.low, "high": ratio.high}
    return {**shown, "batch": 1, "n_tokens": n_tokens, "device": ratio.device, "threads": ratio.threads}
