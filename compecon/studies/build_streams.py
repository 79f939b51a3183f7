"""Measured streams: what each row of a task needs of a checkpoint to be answered correctly.

Two kinds. Keys: one checkpoint reads each row under several key budgets, so that a market can share attention reads.
Sizes: an elastic checkpoint reads each row at several sizes, or a checkpoint and its compacted children do, so that a
market can choose a size by query. Kept are ids and outcomes, never texts.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from compecon.allocation.streams.bundled_streams import (
    INDEX,
    StreamEntry,
    as_stream_name,
    list_streams,
    require_stream_name,
)
from compecon.allocation.streams.stream import Stream
from compecon.attention.budget import KeyBudget
from compecon.callbacks import NOBODY, Callbacks
from compecon.checkpoints.load import Checkpoint
from compecon.errors import TaskError
from compecon.evaluation.evaluate_model import evaluate_checkpoint, within
from compecon.files.durable import replace_file, write_text
from compecon.flops import forward_macs
from compecon.serving.distinct import distinct_sizes
from compecon.studies.bundled_models import Say
from compecon.tasks.encode_rows import encode
from compecon.tasks.task import Split, Task

KEYS = (1, 2, 4, 8, 16)
WITHIN = 0.5  # how far a score may be off to count as correct, on the task's scale
N_ROWS = 400
_MAX_TOKENS = 128


def key_stream(
    checkpoint: Checkpoint, task: Task, split: str = "test", *, keys: Sequence[int] = KEYS, n_rows: int = N_ROWS
) -> Stream:
    """Correctness of one checkpoint against the keys that each token may read.

    The last level of a row is its number of tokens: all keys, the dense model. A budget is per token, head and layer.

    Args:
        checkpoint: A classifier or a regression.
        task: What it was made for.
        split: Which rows.
        keys: Budgets, rising; top-k by logit.
        n_rows: Number of rows, evenly spaced over the split.

    Raises:
        TaskError: If the checkpoint is not made for the task.
    """
    places, few = _spaced(task, split, n_rows)
    lengths = _lengths(checkpoint, few, split)
    outcomes = [_correct(checkpoint, few, split, KeyBudget(k)) for k in keys]
    outcomes.append(_correct(checkpoint, few, split, None))
    levels = np.minimum(np.array([*keys, lengths.max()], dtype=np.float64), lengths[:, None])
    correct = np.stack(outcomes, axis=1)
    # From the first budget on that does not bind, a row's outcome is that of the dense model.
    correct = np.where(levels == lengths[:, None], correct[:, -1:], correct)
    return Stream(f"{checkpoint.name}-keys", _ids(task, split, places), levels, correct, None, "keys")


def size_stream(
    checkpoints: Sequence[Checkpoint],
    task: Task,
    split: str = "test",
    *,
    n_rows: int = N_ROWS,
    name: str = "",
    callbacks: Callbacks = NOBODY,
) -> Stream:
    """Correctness against MACs across a family: a level a model, at each row's own length.

    Args:
        checkpoints: A model and its smaller versions, with one tokenizer, in any order.
        task: What they were made for.
        split: Which rows.
        n_rows: Number of rows, evenly spaced over the split.
        name: Name of the stream; made from the largest model's name if empty.
        callbacks: As of `evaluate`.

    Raises:
        TaskError: If one is not made for the task.
        TrainingInterruptedError: If the watch asked to stop.
    """
    places, few = _spaced(task, split, n_rows)
    lengths = _lengths(checkpoints[0], few, split)
    levels, correct = [], []
    for checkpoint in checkpoints:
        cost = {n: forward_macs(checkpoint.model, int(n)) for n in np.unique(lengths).tolist()}
        levels.append([cost[n] for n in lengths.tolist()])
        correct.append(_correct(checkpoint, few, split, None, callbacks.named(checkpoint.name)))
    order = np.argsort([row[0] for row in levels], kind="stable")
    largest = checkpoints[int(order[-1])].name
    table, outcomes = np.array(levels, dtype=np.float64)[order].T, np.stack(correct, axis=1)[:, order]
    return Stream(name or f"{largest}-sizes", _ids(task, split, places), table, outcomes, None, "MACs")


def elastic_stream(  # noqa: PLR0913 - a measurement has these conditions
    checkpoint: Checkpoint,
    task: Task,
    split: str = "test",
    *,
    budgets: Sequence[float] = (),
    n_rows: int = N_ROWS,
    name: str = "",
    callbacks: Callbacks = NOBODY,
) -> Stream:
    """Correctness against MACs of one elastic checkpoint: a level a size, at each row's own length.

    Args:
        checkpoint: The checkpoint.
        task: What it was made for.
        split: Which rows.
        budgets: As of `distinct_sizes`, which gives the levels.
        n_rows: Number of rows, evenly spaced over the split.
        name: Name of the stream; made from that of the checkpoint and the task if empty.
        callbacks: As of `evaluate`.

    Raises:
        CheckpointError: As of `distinct_sizes`.
        TaskError: If the checkpoint is not made for the task, or the task has no answers that are right or wrong.
        TrainingInterruptedError: If the watch asked to stop.
    """
    sizes = [checkpoint.at(budget) for budget in distinct_sizes(checkpoint, budgets)]
    called = name or as_stream_name(f"{checkpoint.name}-{task.name}")
    return size_stream(sizes, task, split, n_rows=n_rows, name=called, callbacks=callbacks)


def described_rows(task: Task, split: str, n_rows: int) -> str:
    """Which rows a stream is of, and when an answer counts as correct."""
    counts = f"within {WITHIN} of the score" if task.kind == "regression" else "the right class"
    n_there = min(n_rows, len(task.part(split)))
    return f"{n_there} rows of the {split} split of {task.name}, evenly spaced; correct: {counts}"


def write_stream(stream: Stream, folder: Path, *, title: str, description: str, levels: tuple[str, ...] = ()) -> Path:
    """Write a stream and enter it in the folder's index; the same content gives the same bytes.

    What the levels are called is as of `StreamEntry`.

    Raises:
        StreamError: If its name cannot be that of a file, or the index is not one.
    """
    require_stream_name(stream.name)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{stream.name}.jsonl.gz"
    lines = []
    for query, budgets, correct in zip(stream.queries, stream.levels, stream.correct, strict=True):
        outcomes = dict(zip(budgets.tolist(), correct.tolist(), strict=True))  # padding repeats a level
        lines += [
            json.dumps({"query": query, "budget": int(b), "correct": round(c, 4)}) for b, c in sorted(outcomes.items())
        ]
    content = io.BytesIO()
    with gzip.GzipFile(file.name.removesuffix(".gz"), "wb", fileobj=content, mtime=0) as packed:
        packed.write(("\n".join(lines) + "\n").encode())
    entries = {entry.name: entry for entry in list_streams(folder)}
    entries[stream.name] = StreamEntry(stream.name, title, stream.unit, description, levels)
    index = [
        {"name": each.name, "title": each.title, "unit": each.unit, "told": each.description}
        | ({"levels": list(each.levels)} if each.levels else {})
        for each in entries.values()
    ]
    replace_file(file, content.getvalue())
    write_text(folder / INDEX, json.dumps(index, indent=1, ensure_ascii=False) + "\n")
    return file


def build_streams(folder: Path, families: Sequence[tuple[Task, Checkpoint, Checkpoint]], *, say: Say) -> None:
    """Measure and write both kinds: for each task, keys of a dense checkpoint, and sizes of an elastic one."""
    for task, dense, elastic in families:
        rows, name = described_rows(task, "test", N_ROWS), dense.name
        budgets = distinct_sizes(elastic)
        labels = tuple(f"{budget:g}" for budget in budgets)
        sizes = f"{elastic.name} at {', '.join(labels)} of the MACs"
        for stream, against, told, levels in (
            (key_stream(dense, task), "keys read", f"{name}, top-k", ()),
            (elastic_stream(elastic, task, name=f"{name}-sizes"), "model size", sizes, labels),
        ):
            title = f"{name}: correct answers against {against}"
            file = write_stream(stream, folder, title=title, description=f"{told}; {rows}", levels=levels)
            say(f"{file.name}: {len(stream.queries)} queries, {file.stat().st_size:,} bytes")


def _spaced(task: Task, split: str, n_rows: int) -> tuple[np.ndarray, Task]:
    if task.kind not in ("classification", "regression"):
        raise TaskError(f"{task.name} has no answers that are right or wrong. Take a task of classes or scores.")
    part = task.part(split)
    places = np.unique(np.linspace(0, len(part) - 1, min(n_rows, len(part))).astype(int))
    pairs = tuple(part.pairs[place] for place in places) if part.pairs else ()
    few = Split(tuple(part.texts[place] for place in places), pairs, part.targets[places])
    return places, Task(task.name, task.kind, task.labels, {split: few}, task.metrics)


def _lengths(checkpoint: Checkpoint, task: Task, split: str) -> np.ndarray:
    rows = encode(checkpoint.tokenizer, task.part(split), within(checkpoint, _MAX_TOKENS))
    return np.array([len(row["input_ids"]) for row in rows], dtype=np.float64)


def _correct(
    checkpoint: Checkpoint, task: Task, split: str, budget: KeyBudget | None, callbacks: Callbacks = NOBODY
) -> np.ndarray:
    found = evaluate_checkpoint(checkpoint, task, split, max_tokens=_MAX_TOKENS, budget=budget, callbacks=callbacks)
    said = found.predictions
    off = np.abs(said - task.part(split).targets)
    right: np.ndarray = (off <= WITHIN if task.kind == "regression" else off == 0).astype(np.float64)
    return right


def _ids(task: Task, split: str, places: np.ndarray) -> tuple[str, ...]:
    return tuple(f"{task.name}-{split}-{place:04d}" for place in places)
