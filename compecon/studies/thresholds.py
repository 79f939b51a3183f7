"""Thresholds from texts: a ridge on the sentence embeddings of a checkpoint that is there anyway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from compecon.allocation.utilities.arrays import Numbers
from compecon.checkpoints.load import Checkpoint
from compecon.evaluation.evaluate_model import within
from compecon.evaluation.predict_rows import embed
from compecon.tasks.encode_rows import encode
from compecon.tasks.task import Split

_MAX_TOKENS = 128


def features_of(checkpoint: Checkpoint, texts: Sequence[str]) -> Numbers:
    """What is known of each text before it is answered, shape (text, width + 1).

    The mean last hidden state of the checkpoint's encoder, of length 1, and the logarithm of the number of tokens.

    Args:
        checkpoint: Any encoder with or without a head.
        texts: At least one, none empty.
    """
    rows = encode(checkpoint.tokenizer, Split(tuple(texts), (), np.zeros(len(texts))), within(checkpoint, _MAX_TOKENS))
    encoder: Any = checkpoint.model.base_model
    vectors = embed(encoder, checkpoint.tokenizer, rows).numpy().astype(np.float64)
    lengths = np.log([len(row["input_ids"]) for row in rows])
    return np.column_stack([vectors, lengths])
