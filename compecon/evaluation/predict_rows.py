"""What a model predicts for many rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from compecon.attention.budget import Budget
from compecon.attention.hooks import budgeted_attention
from compecon.callbacks import NOBODY, Batches, Callbacks
from compecon.checkpoints.inputs import read, require_finite, stacked
from compecon.compression.last_layer import at_one_position
from compecon.evaluation.as_given import require_measurable
from compecon.tasks.encode_rows import Features


def collator(tokenizer: PreTrainedTokenizerBase) -> Callable[[list[Features]], Mapping[str, Tensor]]:
    """What makes rows one batch, padded to the longest; see `compecon.checkpoints.inputs`."""
    return partial(stacked, padding=tokenizer.pad_token_id)


def batches_of(
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Features],
    batch_size: int,
    device: torch.device | str = "cpu",
) -> Iterator[Mapping[str, Tensor]]:
    """Rows in their order as padded batches, targets included."""
    collate = collator(tokenizer)
    for start in range(0, len(rows), batch_size):
        yield {name: part.to(device) for name, part in collate(list(rows[start : start + batch_size])).items()}


def predict(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Features],
    batch_size: int = 64,
    *,
    budget: Budget | None = None,
    callbacks: Callbacks = NOBODY,
) -> Tensor:
    """Logits of every row, in the order given, in float32.

    Args:
        model: A model with one vector of logits a row.
        tokenizer: Its tokenizer, for padding.
        rows: Encoded rows.
        batch_size: Rows at a time.
        budget: How many keys each query may read; None: all it sees.
        callbacks: Called with each batch; its watch is asked after each whether to stop.

    Returns:
        Shape (row, label), on the CPU.

    Raises:
        TrainingInterruptedError: If the watch asked to stop.
        ValueError: If the model does not compute in float32, with its own `forward` and without dropout.
    """
    with budgeted_attention(model, budget) if budget else nullcontext():
        return _in_batches(model, tokenizer, rows, batch_size, lambda output, _: output.logits, callbacks)


def embed(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Features], batch_size: int = 64
) -> Tensor:
    """Sentence embeddings: last hidden states averaged over the tokens, of length 1, in float32.

    Args:
        model: An encoder.
        tokenizer: Its tokenizer, for padding.
        rows: Encoded rows, in the order wanted.
        batch_size: Rows at a time.

    Returns:
        Shape (row, width), on the CPU.
    """

    def mean(output: Any, batch: Mapping[str, Tensor]) -> Tensor:
        real = batch["attention_mask"].unsqueeze(-1)
        return functional.normalize((output.last_hidden_state * real).sum(1) / real.sum(1), dim=-1)

    return _in_batches(model, tokenizer, rows, batch_size, mean)


@torch.inference_mode()
def _in_batches(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Features],
    batch_size: int,
    take: Callable[[Any, Mapping[str, Tensor]], Tensor],
    callbacks: Callbacks = NOBODY,
) -> Tensor:
    require_measurable(model)
    by_length = sorted(range(len(rows)), key=[len(row["input_ids"]) for row in rows].__getitem__)
    collate, read_so_far = collator(tokenizer), Batches(callbacks, "predictions", -(-len(rows) // batch_size))
    found: Tensor | None = None
    for start in reversed(range(0, len(rows), batch_size)):  # the longest first: what they leave is enough for others
        places = by_length[start : start + batch_size]
        batch = {name: part.to(model.device) for name, part in collate([rows[i] for i in places]).items()}
        with at_one_position(model):
            part = take(read(model, batch), batch).float().cpu()
        if found is None:
            found = torch.empty(len(rows), *part.shape[1:])
        found[places] = part
        read_so_far.done()
    if found is None:
        raise ValueError("there are no rows to read. Pass at least one.")
    require_finite(found, "The output of the model for a row is")
    return found
