"""The cost of statistics of many rows: recorded forward passes, with and without Gini and entropy of each head."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from compecon.attention.hooks import recorded_attention
from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.made_models import bundled_checkpoint
from compecon.benchmarks.timing import interleaved, one_thread, ratios
from compecon.checkpoints.inputs import read
from compecon.checkpoints.load import Checkpoint
from compecon.compression.shape import CompactShape
from compecon.evaluation.predict_rows import batches_of
from compecon.evaluation.row_passes import Sample, batches_of_like_length, read_batch
from compecon.tasks.encode_rows import Features, encode
from compecon.tasks.rows import chosen_rows
from compecon.tasks.task_registry import read_task

_GOAL = 1 / 0.9  # times the recorded forward passes: 90% of their rows in a second
# Tokens of every 35th row of SST-2's test split by length, as the bundled checkpoint reads it.
_LENGTHS = (
    *(6, 8, 9, 10, 10, 11, 12, 13, 13, 14, 15, 15, 16, 17, 17, 18, 19, 19, 20, 21, 21, 22, 22, 23, 24, 24, 25, 26, 26),
    *(27, 27, 28, 28, 29, 30, 31, 31, 32, 33, 34, 35, 36, 37, 37, 39, 40, 41, 42, 44, 47, 51, 58),
)  # fmt: skip


def measure(settings: Settings) -> list[Table]:
    """The bundled sentiment model on real rows if there are some, else on random words of such lengths."""
    checkpoint = bundled_checkpoint()
    n_rows = settings.pick(200, 32)
    folder = Path(os.environ.get("COMPECON_DATA", ""))
    if (folder / "sst2").is_dir():
        rows, told = _real(checkpoint, folder, n_rows), f"{n_rows} rows of SST-2's test split"
    else:
        rows, told = _made(checkpoint, n_rows), f"{n_rows} rows of random words, as long as those of SST-2"
    return [dataset_table(checkpoint, rows, told, rounds=settings.pick(9, 2))]


def dataset_table(checkpoint: Checkpoint, rows: Sequence[Features], description: str, *, rounds: int) -> Table:
    """Time recorded passes over encoded rows with and without statistics; `description` says what the rows are."""
    sample = Sample(checkpoint, list(rows), CompactShape.of(checkpoint.model.config).heads)
    recorded: list[float] = []
    with_statistics: list[float] = []
    in_a_second: list[float] = []
    with one_thread():
        for places in batches_of_like_length(sample):
            sides: dict[str, Callable[[], object]] = {
                "recorded": partial(_recorded, sample, places),
                "both": partial(read_batch, sample, places, None),
            }
            times = interleaved(sides, rounds=rounds, warm_up=1)
            recorded += times["recorded"]
            with_statistics += times["both"]
            in_a_second += [1000 * len(places) / ms for ms in times["both"]]
    figures = (
        Figure("forward passes, recorded", "ms", tuple(recorded)),
        Figure("the same with Gini and entropy of every head", "ms", tuple(with_statistics)),
        Figure("times the recorded passes", "×", ratios(with_statistics, recorded), Goal("median", _GOAL)),
        Figure("rows per second with statistics", "", tuple(in_a_second)),
    )
    tokens = sum(len(row["input_ids"]) for row in rows) / len(rows)
    notes = (
        f"{checkpoint.name}, {description}, {tokens:.1f} tokens on average; all keys, batches of 32 of like length.",
        "One thread, float32; the two take turns batch by batch, and a ratio compares neighbours. Below 1.111 × the "
        "rows per second are at least 90% of those without statistics.",
    )
    return Table("dataset: statistics of rows against recorded forward passes", figures, notes)


@torch.inference_mode()
def _recorded(sample: Sample, places: Sequence[int]) -> None:
    checkpoint = sample.checkpoint
    rows = [sample.rows[place] for place in places]
    batch: Any = next(iter(batches_of(checkpoint.tokenizer, rows, len(rows), checkpoint.model.device)))
    with recorded_attention(checkpoint.model):
        read(checkpoint.model, batch).logits.float().cpu().numpy()


def _real(checkpoint: Checkpoint, folder: Path, n_rows: int) -> list[Features]:
    part = read_task("sst2", folder).part("test")
    rows = encode(checkpoint.tokenizer, part, 128)
    return [rows[place] for place in chosen_rows(len(part), n_rows)]


def _made(checkpoint: Checkpoint, n_rows: int) -> list[Features]:
    dice = torch.Generator().manual_seed(0)
    found: list[Features] = []
    for place in range(n_rows):
        n = _LENGTHS[place % len(_LENGTHS)]
        ids = torch.randint(1000, checkpoint.preflight.vocabulary, (n,), generator=dice).tolist()
        found.append({"input_ids": ids, "attention_mask": [1] * n})
    return found
