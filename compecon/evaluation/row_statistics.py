"""Statistics of rows of a task under key budgets: `compecon statistics`, here or in the background.

The same rows for every checkpoint. What was measured before, of the same weights on the same rows, is taken from where
it was kept; an attempt that was left goes on with the first budget that is missing.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compecon.attention.budget import KeyBudget
from compecon.callbacks import NOBODY, Callbacks
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.compression.shape import CompactShape
from compecon.errors import TaskError
from compecon.evaluation.evaluate_model import head_for, tell_match, within
from compecon.evaluation.row_passes import Sample, Unfinished, level_of
from compecon.evaluation.row_records import RowStatistics, StatisticsKey
from compecon.evaluation.row_store import StatisticsStore
from compecon.provenance import hardware, versions
from compecon.tasks.cut import cut_rows
from compecon.tasks.encode_rows import encode
from compecon.tasks.rows import chosen_rows
from compecon.tasks.rows_fingerprint import rows_digest, stated_order
from compecon.tasks.task import Split, Task
from compecon.tasks.understood_task import task_of

SEED = 0


@dataclass(frozen=True)
class Gathered:
    """Statistics, and whether they had been made before."""

    found: RowStatistics
    is_recalled: bool  # whether nothing had to be measured

    def results(self) -> dict[str, Any]:
        """What a run says, as JSON values."""
        found, key = self.found, self.found.key
        levels = [
            {
                "keys": keys,
                "gini": round(float(found.gini[place].mean()), 4),
                "entropy": round(float(found.entropy[place].mean()), 4),
                "right": round(float(found.right[place].mean()), 4),
            }
            for place, keys in enumerate(key.levels)
        ]
        return {
            "checkpoint": found.checkpoint,
            "digest": key.digest,
            "task": key.task,
            "split": key.split,
            "rows": len(found.rows),
            "levels": levels,
            "cut": None if found.cut is None else found.cut.written(),
            "flipped": int((found.flips > 0).sum()),
            "file": key.file_name,
            "recalled": self.is_recalled,
            "sentence": self._sentence(levels),
        }

    def _sentence(self, levels: list[dict[str, Any]]) -> str:
        first, last, found = levels[0], levels[-1], self.found
        full = (
            f"{len(found.rows)} rows of {found.key.task} {found.key.split}: mean Gini {first['gini']:.3f}, entropy "
            f"{first['entropy']:.2f} nats"
        )
        cut = f" {found.cut}" if found.cut is not None and found.cut.n_cut else ""
        if last is first:
            return f"{full}.{cut}"
        n_flipped, plural = int((found.flips > 0).sum()), "s" if last["keys"] > 1 else ""
        return f"{full}; {n_flipped} decisions have flipped at {last['keys']} key{plural} per query.{cut}"


def gather_statistics(
    params: Mapping[str, Any], *, kept: Path | None = None, work: Path | None = None, callbacks: Callbacks = NOBODY
) -> Gathered:
    """Measure a checkpoint on rows of a task, unless that was done before.

    Args:
        params: Checked values of `compecon.runs.jobs.options.STATISTICS`.
        kept: Folder of measurements; None to look nothing up and keep nothing.
        work: Folder for what is finished of an attempt; removed when all is there. None to keep nothing on the way.
        callbacks: Called with each batch; its watch is asked after each whether to stop.

    Raises:
        TaskError: If the task has no classes and no scores, the checkpoint is not made for it, or there is no such
            split.
        CheckpointError: If it cannot be loaded.
        UnsupportedModelError: If it has more than one stack of attention layers.
        TrainingInterruptedError: If the watch asked to stop. Budgets that were finished are kept.
    """
    task = task_of(params)
    if not isinstance(task, Task):
        raise TaskError(
            f"{task.name} has neither classes nor scores. Choose a task that has, or look at one text at a time."
        )
    part = task.part(params["split"])
    rows = chosen_rows(len(part), params["rows"])
    few = part.take(rows)
    loaded = load_checkpoint(params["checkpoint"], params["device"])
    tell_match(loaded, task, head_for(loaded, task), callbacks)
    key = _key(loaded, task, few, params)
    store = StatisticsStore(kept)
    store.put_texts(key.rows_digest, list(zip(few.texts, few.pairs or [""] * len(few), strict=True)))
    if kept is not None and (known := store.get(key)) is not None:
        callbacks.say("These rows were measured before, with the same weights.")
        return Gathered(known, is_recalled=True)
    written = measured_rows(loaded, task, key, rows, few, work=work, callbacks=callbacks).written()
    found = RowStatistics.read(written)  # with the digits that are kept: the same numbers ever after
    store.put(found)
    if work is not None:
        shutil.rmtree(work, ignore_errors=True)
    return Gathered(found, is_recalled=False)


def measured_rows(  # noqa: PLR0913 - a model, a task, and which rows
    checkpoint: Checkpoint,
    task: Task,
    key: StatisticsKey,
    rows: tuple[int, ...],
    few: Split,
    *,
    work: Path | None = None,
    callbacks: Callbacks = NOBODY,
) -> RowStatistics:
    """Measure rows, which are at these places in the split, at all budgets; errors as of `gather_statistics`."""
    features = encode(checkpoint.tokenizer, few, within(checkpoint, key.max_tokens))
    sample = Sample(checkpoint, features, CompactShape.of(checkpoint.model.config).heads)
    unfinished, levels = Unfinished(work, key), []
    for keys in key.levels:
        level = unfinished.get(keys)
        if level is None:
            level = level_of(sample, None if keys is None else KeyBudget(keys), callbacks)
            unfinished.put(keys, level)
        levels.append(level)
    match = head_for(checkpoint, task)
    predictions = [task.predictions(level.logits, match).astype(np.float64) for level in levels]
    gini, entropy = (np.stack([level.means[place] for level in levels]) for place in (0, 1))
    head_gini, head_entropy = (np.stack([level.heads[place] for level in levels]) for place in (0, 1))
    cells = levels[0].cells
    if cells is None:
        raise ValueError("the first budget of statistics is all keys.")
    return RowStatistics(
        key=key,
        checkpoint=checkpoint.name,
        labels=task.labels,
        metric=task.metric,
        is_score=task.kind == "regression",
        rows=rows,
        n_tokens=tuple(len(each["input_ids"]) for each in sample.rows),
        targets=few.targets.astype(np.float64),
        gini=gini,
        entropy=entropy,
        predictions=np.stack(predictions),
        head_gini=head_gini,
        head_entropy=head_entropy,
        cell_gini=cells[0],
        cell_entropy=cells[1],
        hardware=hardware(),
        versions=versions(),
        measured_at=time.time(),
        cut=cut_rows(checkpoint.tokenizer, few, sample.rows, within(checkpoint, key.max_tokens)),
    )


def _key(checkpoint: Checkpoint, task: Task, few: Split, params: Mapping[str, Any]) -> StatisticsKey:
    return StatisticsKey(
        digest=checkpoint.digest,
        task=task.name,
        split=params["split"],
        n_rows=params["rows"],
        rows_digest=rows_digest(few, stated_order(task)),
        max_tokens=params["max_tokens"],
        budgets=tuple(sorted(set(params["budgets"]), reverse=True)),
        seed=SEED,
    )
