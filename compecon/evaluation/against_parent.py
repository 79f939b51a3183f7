"""What a new checkpoint achieved against its parent: quality, MACs and time, as results and in a sentence."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, final

import torch

from compecon.checkpoints.gate.intake import survey
from compecon.checkpoints.load import Checkpoint
from compecon.errors import TaskError
from compecon.evaluation.evaluate_model import Evaluation, evaluate_checkpoint
from compecon.files.durable import plain
from compecon.latency import LatencyRatio, compare_latency
from compecon.tasks.task_metrics import Estimate, Metric, paired
from compecon.tasks.task_registry import AnyTask

_TIMED_S = 2.0
_ROUNDS = 100
_WARMUP = 5
_SHARES = frozenset({"accuracy", "f1"})  # shares of something, so that people read them in per cent


@final
@dataclass(frozen=True, eq=False)
class Compared:
    """A new checkpoint beside its parent on one split."""

    task: AnyTask
    split: str
    new: Evaluation
    parent: Evaluation | None  # None if it has no head for the task

    @property
    def difference(self) -> Estimate | None:
        """How much larger the new one's metric is, on the same rows; None without a comparable parent."""
        if self.parent is None or len(self.parent.predictions) != len(self.new.predictions):
            return None
        return paired(self.task.score, self.parent.predictions, self.new.predictions, self.new.targets)


def compared(new: Checkpoint, parent: Checkpoint, task: AnyTask, split: str, *, max_tokens: int) -> Compared:
    """Measure both on the same rows, their texts cut to `max_tokens`; the parent need not know the task.

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
    """The results of a run that made a checkpoint, whose own record says how."""
    made = survey(new.path).record.training
    smaller = made["macs"] < made["dense_macs"]
    latency = _timed(new, parent, made["n_tokens"]) if smaller else None
    metric, difference, cut = on.task.score, on.difference, on.new.cut
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
        "metric": _described(metric, on.split, on.new.estimate),
        "parent": parent.name,
        "parent_metric": None if on.parent is None else _described(metric, on.split, on.parent.estimate),
        "difference": None if difference is None else plain(asdict(difference)),
        "macs": made["macs"],
        "parent_macs": made["dense_macs"],
        "n_tokens": made["n_tokens"],
        "cut": None if cut is None else cut.written(),
        "share": made["share"],
        "latency": None if latency is None else _written(latency, made["n_tokens"]),
        "price": made["price"],
        "met": made["met"],
        "target": made["target"],
        **({"sizes": made["sizes"]} if "sizes" in made else {}),
        "sentence": f"{sentence(against)} {cut}" if cut and cut.n_cut else sentence(against),
    }


def _timed(new: Checkpoint, parent: Checkpoint, n_tokens: int) -> LatencyRatio:
    """Time one text through both, in turns; its words do not matter."""
    ids = (torch.arange(n_tokens) % min(one.preflight.vocabulary for one in (new, parent)))[None]

    def call(one: Checkpoint) -> Any:
        batch = {"input_ids": ids.to(one.device), "attention_mask": torch.ones_like(ids).to(one.device)}
        return lambda: one.model(**batch)

    return compare_latency(call(parent), call(new), repeats=_ROUNDS, warmup=_WARMUP, limit_s=_TIMED_S)


def _described(metric: Metric, split: str, estimate: Estimate) -> dict[str, Any]:
    about = {"name": metric.name, "split": split, "higher_is_better": metric.higher_is_better}
    return {**about, **plain(asdict(estimate))}


def _written(ratio: LatencyRatio, n_tokens: int) -> dict[str, Any]:
    shown = {"ratio": ratio.ratio, "low": ratio.low, "high": ratio.high}
    return {**shown, "batch": 1, "n_tokens": n_tokens, "device": ratio.device, "threads": ratio.threads}


@final
@dataclass(frozen=True)
class Against:
    """A new checkpoint against its parent, as the sentence needs it."""

    task: str
    split: str
    metric: Metric
    value: Estimate
    parent: str  # its name
    difference: Estimate | None  # the new one's metric less the parent's; None if that has no head for the task
    macs: float  # the new one's by the parent's
    latency: LatencyRatio | None  # None if nothing was removed


def sentence(against: Against) -> str:
    """One sentence that claims no more than was measured, or two if the parent has no head for the task."""
    about = f"{_quality(against)} on {against.task} {against.split}"
    size = _size(against)
    if against.difference is None:
        return f"{about}, at {size}. {against.parent} has no head for {against.task}: there is no quality to compare."
    return f"{about}, {_change(against.difference, against.metric, against.parent)}, at {size}."


def _quality(against: Against) -> str:
    metric, value = against.metric, against.value.value * against.metric.scale
    name = f"{metric.name[:1].upper()}{metric.name[1:]}"
    direction = "" if metric.higher_is_better else " (lower is better)"
    if not math.isfinite(value):
        return f"{name} is not defined{direction}"
    number = f"{value:.1f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{name} {number.replace('-', '−')}{'%' if metric.name in _SHARES else ''}{direction}"


def _change(difference: Estimate, metric: Metric, parent: str) -> str:
    value, low, high = (number * metric.scale for number in (difference.value, difference.low, difference.high))
    if not all(map(math.isfinite, (value, low, high))):
        return f"which cannot be compared with {parent}"
    unit = " points" if metric.scale != 1 else ""
    interval = f"95% interval {low:+.1f} to {high:+.1f}".replace("-", "−")
    if low <= 0 <= high:
        shown = f"{value:+.1f}".replace("-", "−")
        return f"no clear difference from {parent} ({shown}{unit}, {interval})"
    return f"{abs(value):.1f}{unit} {'above' if value > 0 else 'below'} {parent} ({interval})"


def _size(against: Against) -> str:
    if against.macs == 1:
        return "the same MACs"
    work, latency = f"{against.macs:.2f} of its MACs", against.latency
    if latency is None:
        return work
    if latency.low <= 1 <= latency.high:
        return f"{work} and no clear difference in time"
    return f"{work} and {latency.ratio:.2f} of its time"
