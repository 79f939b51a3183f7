"""Thresholds from texts: a ridge on the sentence embeddings of a checkpoint that is there anyway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from compecon.allocation.streams.threshold_ridge import (
    PredictionError,
    ThresholdPredictor,
    fit_predictor,
    inside_and_outside,
)
from compecon.allocation.utilities.arrays import Numbers
from compecon.checkpoints.load import Checkpoint
from compecon.evaluation.evaluate_model import within
from compecon.evaluation.predict_rows import embed
from compecon.tasks.encode_rows import encode
from compecon.tasks.task import Split

_MAX_TOKENS = 128


@final
@dataclass(frozen=True, eq=False)
class TextPredictor:
    """Predicts how many tokens a query needs before its first correct answer.

    Attributes:
        checkpoint: Whose embeddings are used.
        predictor: What was fitted on them.
    """

    checkpoint: Checkpoint
    predictor: ThresholdPredictor

    def predict(self, texts: Sequence[str]) -> Numbers:
        """Predicted thresholds in tokens, shape (text,)."""
        return self.predictor.predict(features_of(self.checkpoint, texts))


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


def fit_texts(checkpoint: Checkpoint, texts: Sequence[str], thresholds: Numbers, *, seed: int = 0) -> TextPredictor:
    """Fit on texts with known thresholds, such as those of `compecon.allocation.utilities.fit.fit_rollouts`.

    Args:
        checkpoint: Whose embeddings are used.
        texts: At least 10.
        thresholds: Tokens, shape (text,).
        seed: Of the folds for the calibration.
    """
    return TextPredictor(checkpoint, fit_predictor(features_of(checkpoint, texts), thresholds, seed=seed))


def text_errors(
    checkpoint: Checkpoint, texts: Sequence[str], thresholds: Numbers, groups: Sequence[str], held_out: str
) -> tuple[PredictionError, PredictionError]:
    """Errors in distribution, cross-validated, and on a group of texts that was left out.

    Args:
        checkpoint: Whose embeddings are used.
        texts: Queries.
        thresholds: Tokens, shape (text,).
        groups: Of each text.
        held_out: The group to leave out.
    """
    return inside_and_outside(features_of(checkpoint, texts), thresholds, groups, held_out)
