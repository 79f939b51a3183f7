"""A checkpoint measured on a task, at one key budget or several: `compecon evaluate`, here or in the background.

What was measured before, of the same weights on the same rows, is taken from where it was kept.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from compecon.attention.budget import KeyBudget
from compecon.attention.policies import POLICIES
from compecon.callbacks import NOBODY, Callbacks
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.compression.model_shape import ModelShape
from compecon.errors import TrainingInterruptedError, UnsupportedModelError
from compecon.evaluation.evaluate_model import Evaluation, evaluate_checkpoint, head_for, tell_match, within
from compecon.evaluation.evaluation_records import EvaluationKey, EvaluationRecord, EvaluationStore
from compecon.files.durable import plain
from compecon.flops import macs, macs_under_budget
from compecon.provenance import hardware, versions
from compecon.tasks.cut import cut_rows
from compecon.tasks.encode_rows import encode
from compecon.tasks.rows import with_few_rows
from compecon.tasks.rows_fingerprint import rows_digest, stated_order
from compecon.tasks.task import Task
from compecon.tasks.task_registry import AnyTask
from compecon.tasks.understood_task import task_of


@dataclass(frozen=True, eq=False)
class Measurement:
    """How good a checkpoint is at a task."""

    checkpoint: Checkpoint
    task: AnyTask
    records: tuple[EvaluationRecord, ...]  # one budget, or all keys and then the given budgets
    n_recalled: int  # how many had been measured before

    def results(self) -> dict[str, Any]:
        """The same as JSON values."""
        first = self.records[0]
        return {
            "checkpoint": self.checkpoint.name,
            "digest": self.checkpoint.digest,
            "task": self.task.name,
            "split": first.key.split,
            "metrics": plain({name: asdict(score) for name, score in first.metrics.items()}),
            "macs": first.macs,
            "n_tokens": first.n_tokens,
            "cut": None if first.cut is None else first.cut.written(),
            "keys": first.key.keys,
            "share": first.key.share,
            "policy": first.key.policy or None,
            "evaluations": [plain(record.written()) for record in self.records],
            "recalled": self.n_recalled,
            "sentence": self._sentence(),
        }

    def _sentence(self) -> str:
        first, last = self.records[0], self.records[-1]
        full = f"{first.metric} {_shown(self.task, first)} on {self.task.name} {first.key.split}"
        cut = f" {first.cut}" if first.cut is not None and first.cut.n_cut else ""
        if last is first:
            return f"{full}{_within(first.key)}.{cut}"
        return f"{full} with all keys, {_shown(self.task, last)}{_within(last.key)}.{cut}"


def _shown(task: AnyTask, record: EvaluationRecord) -> str:
    return task.score.shown(record.score)


def _within(key: EvaluationKey) -> str:
    if key.keys is not None:
        return f" with {key.keys} key{'s' if key.keys > 1 else ''} per query"
    return "" if key.share is None else f" with {key.share:g} of the keys"


def measure_checkpoint(
    params: Mapping[str, Any], *, kept: Path | None = None, callbacks: Callbacks = NOBODY
) -> Measurement:
    """Measure a checkpoint at each requested budget that was not measured before.

    Args:
        params: Checked values of `compecon.runs.jobs.options.EVALUATE`.
        kept: Folder of measurements; None to look nothing up and keep nothing.
        callbacks: Called with each batch of each budget; its watch is asked after each whether to stop.

    Raises:
        TaskError: If the checkpoint is not made for the task, or there is no such split.
        CheckpointError: If it cannot be loaded.
        TrainingInterruptedError: If the watch asked to stop. Budgets that were finished are kept.
    """
    whole = task_of(params)
    task = with_few_rows(whole, params["split"], params.get("rows"))  # before a model is loaded
    part = task.part(params["split"])
    loaded = load_checkpoint(params["checkpoint"], params["device"])
    tell_match(loaded, whole, head_for(loaded, task), callbacks)
    digest = rows_digest(part, stated_order(task))
    shared = EvaluationKey(loaded.digest, task.name, params["split"], digest, params["max_tokens"])
    keys, store = _keys(shared, params), EvaluationStore(kept)
    records, n_recalled = [], 0
    for place, key in enumerate(keys):
        if callbacks.watch.stop():
            raise TrainingInterruptedError(f"The evaluation was stopped after {place} of {len(keys)} budgets.")
        stage = _within(key).removeprefix(" with ") or "all keys"
        known = store.get(key) if kept is not None else None
        record = _with_cut(known, loaded, task) if known else measured(loaded, task, key, callbacks.named(stage))
        if record != known:
            _keep(store, record, callbacks)
        n_recalled += known is not None
        records.append(record)
        callbacks.say(f"{place + 1} of {len(keys)}: {record.metric} {_shown(task, record)}{_within(key)}")
    return Measurement(loaded, task, tuple(records), n_recalled)


def _with_cut(record: EvaluationRecord, checkpoint: Checkpoint, task: AnyTask) -> EvaluationRecord:
    """A record that says what was cut, also where it was measured by a version that did not count that."""
    if record.cut is not None or not isinstance(task, Task):
        return record
    part, length = task.part(record.key.split), within(checkpoint, record.key.max_tokens)
    rows = encode(checkpoint.tokenizer, part, length)
    return replace(record, cut=cut_rows(checkpoint.tokenizer, part, rows, length))


def _keep(store: EvaluationStore, record: EvaluationRecord, callbacks: Callbacks) -> None:
    """Keep a measurement if that can be done: neither a full disk nor a read-only folder must lose the number."""
    try:
        store.put(record)
    except OSError as error:
        callbacks.say(f"The result could not be kept: {error}. Make room, or set COMPECON_HOME to another folder.")


def _keys(shared: EvaluationKey, params: Mapping[str, Any]) -> list[EvaluationKey]:
    policy = params["policy"]
    if params["budgets"]:
        falling = sorted(set(params["budgets"]), reverse=True)
        return [shared, *(replace(shared, keys=keys, policy=policy) for keys in falling)]
    if params["keys"] is None and params["share"] is None:
        return [shared]
    return [replace(shared, keys=params["keys"], share=params["share"], policy=policy)]


def measured(
    checkpoint: Checkpoint, task: AnyTask, key: EvaluationKey, callbacks: Callbacks = NOBODY
) -> EvaluationRecord:
    """Measure a checkpoint once, on the task and at the budget that the key names.

    Raises:
        TaskError: If the checkpoint is not made for the task, or there is no such split.
        TrainingInterruptedError: If the watch asked to stop.
    """
    is_scarce = key.keys is not None or key.share is not None
    found = evaluate_checkpoint(
        checkpoint,
        task,
        key.split,
        max_tokens=key.max_tokens,
        budget=KeyBudget(key.keys, key.share) if is_scarce else None,
        policy=POLICIES.make(key.policy or "top-k"),
        callbacks=callbacks,
    )
    reads, total = _counted(checkpoint, key, found)
    return EvaluationRecord(
        key=key,
        checkpoint=checkpoint.name,
        metrics=found.metrics,
        higher_is_better=task.score.higher_is_better,
        n_tokens=found.n_tokens,
        reads=reads,
        macs=total,
        parameters=checkpoint.preflight.parameters,
        hardware=hardware(),
        versions=versions(),
        measured_at=round(time.time(), 1),
        cut=found.cut,
    )


def _counted(checkpoint: Checkpoint, key: EvaluationKey, found: Evaluation) -> tuple[int | None, int | None]:
    """Keys read, and MACs, of a text of the mean length; None where they are not known."""
    try:
        shape = ModelShape.from_model(checkpoint.model)
    except UnsupportedModelError:
        return None, None
    if key.keys is not None or key.share is not None:  # under a budget, every layer is computed whole
        shape = replace(shape, one_position=False)
    total = macs(shape, found.n_tokens).total
    if key.share is not None:
        return None, total
    needed = macs_under_budget(shape, found.n_tokens, key.keys, causal=checkpoint.kind == "causal-lm")
    return needed.read // shape.d_head, total
