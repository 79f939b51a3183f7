"""Forward passes over rows that are recorded: what a model says of each row, and how unequally each head reads it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention, recorded_attention
from compecon.attention.recorded import LayerAttention
from compecon.callbacks import Batches, Callbacks
from compecon.checkpoints.gate.kinds import SEVERAL_STACKS
from compecon.checkpoints.inputs import read
from compecon.checkpoints.load import Checkpoint
from compecon.errors import UnsupportedModelError
from compecon.evaluation.predict_rows import batches_of
from compecon.evaluation.result_store import MAX_BYTES, keep
from compecon.evaluation.row_inequality import row_inequality
from compecon.evaluation.row_records import SCHEMA, StatisticsKey
from compecon.files.safe_reader import read_json
from compecon.files.schema import check_schema
from compecon.tasks.encode_rows import Features

_ROWS = 32  # a batch, at most
_WEIGHTS = 1 << 26  # attention weights recorded at a time, at most: 256 MB


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows, and the model that reads them."""

    checkpoint: Checkpoint  # in evaluation mode
    rows: Sequence[Features]  # encoded
    heads: tuple[tuple[int, ...], ...]  # of each layer that are left, by their index in the dense model

    @property
    def grid(self) -> tuple[int, int]:
        """Layers, and the heads that each had."""
        return len(self.heads), int(self.checkpoint.preflight.heads)


@dataclass(frozen=True, eq=False)
class Level:
    """All rows under one budget; statistics are Gini and entropy in nats, means over queries."""

    logits: np.ndarray  # shape (row, output)
    means: np.ndarray  # shape (2, row): over the heads that are left
    heads: np.ndarray  # shape (2, layer, head): over rows; NaN for a removed head
    cells: np.ndarray | None  # shape (2, row, layer, head), float32; with a budget None, as there they are not kept


def level_of(sample: Sample, budget: KeyBudget | None, callbacks: Callbacks) -> Level:
    """Let the model read all rows under a budget (top-k by logit; None for all keys).

    Raises:
        UnsupportedModelError: If the model has more than one stack of attention layers.
        TrainingInterruptedError: If the watch, which is asked after each batch, says stop.
    """
    batches, n_rows = list(batches_of_like_length(sample)), len(sample.rows)
    cells = np.full((2, n_rows, *sample.grid), np.nan, dtype=np.float32) if budget is None else None
    means, sums, counts = np.empty((2, n_rows)), np.zeros((2, *sample.grid)), np.zeros((2, *sample.grid))
    logits: np.ndarray | None = None
    name = "all keys" if budget is None else f"{budget.keys} key{'s' if budget.keys != 1 else ''}"
    read_so_far = Batches(callbacks, name, len(batches))
    for places in reversed(batches):  # the longest first: the memory that they leave is enough for all others
        outputs, found = read_batch(sample, places, budget)
        logits = np.empty((n_rows, *outputs.shape[1:]), dtype=outputs.dtype) if logits is None else logits
        logits[places], means[:, places] = outputs, np.nanmean(found, axis=(2, 3))
        sums += np.nansum(found, axis=1)
        counts += np.isfinite(found).sum(axis=1)
        if cells is not None:
            cells[:, places] = found
        read_so_far.done()
    if logits is None:
        raise ValueError("there are no rows to read. Pass at least one.")
    return Level(logits, means, np.where(counts > 0, sums / np.maximum(counts, 1), np.nan), cells)


def batches_of_like_length(sample: Sample) -> Iterator[list[int]]:
    """Places of rows that are read together: the shortest ones first, so that little is padding."""
    lengths = [len(row["input_ids"]) for row in sample.rows]
    n_heads = max(1, sum(map(len, sample.heads)))
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) == _ROWS or (len(batch) + 1) * n_heads * lengths[place] ** 2 > _WEIGHTS):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


@torch.inference_mode()
def read_batch(sample: Sample, places: Sequence[int], budget: KeyBudget | None) -> tuple[np.ndarray, np.ndarray]:
    """One forward pass: logits, shape (row, output), and Gini and entropy, shape (2, row, layer, head).

    Raises:
        UnsupportedModelError: If the model has more than one stack of attention layers.
    """
    model, checkpoint = sample.checkpoint.model, sample.checkpoint
    rows = [sample.rows[place] for place in places]
    batch: Any = next(iter(batches_of(checkpoint.tokenizer, rows, len(rows), model.device)))
    with budgeted_attention(model, budget) if budget else nullcontext(), recorded_attention(model) as seen:
        output = read(model, batch)
    real = batch["attention_mask"].bool()
    return output.logits.float().cpu().numpy(), _cells(sample, seen, real, budget)


def _cells(sample: Sample, seen: Sequence[LayerAttention], real: torch.Tensor, budget: KeyBudget | None) -> np.ndarray:
    if len({one.stack for one in seen}) > 1:
        raise UnsupportedModelError(f"{sample.checkpoint.name} has no statistics. {SEVERAL_STACKS}")
    cells = np.full((2, len(real), *sample.grid), np.nan)
    for one in seen:
        found = row_inequality(one, real, None if budget is None else budget.keys)
        cells[:, :, one.layer, list(sample.heads[one.layer])] = found.cpu().numpy()
    return cells


@final
class Unfinished:
    """Budgets of a key that an attempt has finished, in a folder if there is one, so that none is measured twice."""

    def __init__(self, folder: Path | None, key: StatisticsKey) -> None:
        self._folder = folder
        self._key = json.loads(json.dumps(asdict(key)))

    def get(self, keys: int | None) -> Level | None:
        """What was measured under a budget; None if nothing was, or it cannot be read."""
        if self._folder is None:
            return None
        try:
            held = read_json(self._path(self._folder, keys), MAX_BYTES)
            check_schema(held, SCHEMA, "it")
            if held["key"] != self._key:
                return None
            *parts, cells = held["arrays"]
            logits, means, heads = map(_array, parts)
            return Level(logits, means, heads, None if cells is None else _array(cells))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, keys: int | None, level: Level) -> None:
        """Keep what was measured under a budget; raises OSError if it cannot be written."""
        if self._folder is None:
            return
        parts = (level.logits, level.means, level.heads, level.cells)
        held = {"schema": SCHEMA, "key": self._key, "arrays": [None if part is None else _text(part) for part in parts]}
        keep(self._path(self._folder, keys), held, SCHEMA)

    def _path(self, folder: Path, keys: int | None) -> Path:
        return folder / f"{'all' if keys is None else keys}-keys.json"


def _text(array: np.ndarray) -> list[Any]:
    return [str(array.dtype), list(array.shape), base64.b64encode(array.tobytes()).decode("ascii")]


def _array(held: list[Any]) -> np.ndarray:
    kind, shape, raw = held
    if kind not in ("float32", "float64"):
        raise ValueError("its numbers are of another kind.")
    return np.frombuffer(base64.b64decode(raw, validate=True), dtype=kind).reshape(shape)
