"""What pages and tables show of a model on another device."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest

import numpy as np
import pytest
import torch

from compecon.attention import KeyBudget
from compecon.callbacks import NOBODY
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.compression.compact_model import kept_heads
from compecon.evaluation.evaluate_model import evaluate_checkpoint
from compecon.evaluation.row_passes import Sample, level_of
from compecon.tasks.encode_rows import encode
from compecon.tasks.readers.made_reviews import made_reviews
from compecon.views.attention.attention_stream import attention_stream

_TEXT = "Not even a wonderful cast can save this tired, joyless sequel"


@pytest.fixture(params=["sentiment", "sentiment-45-taylor"])
def both(request: pytest.FixtureRequest, device: torch.device) -> tuple[Checkpoint, Checkpoint]:
    """A checkpoint on the CPU and there."""
    return load_checkpoint(request.param, "cpu"), load_checkpoint(request.param, str(device))


def test_the_stream_of_the_attention_page(both) -> None:
    streams = [attention_stream(checkpoint, checkpoint.encode(_TEXT)) for checkpoint in both]
    for one, other in zip_longest(*streams):
        assert one.kind == other.kind
        assert one.arrays.keys() == other.arrays.keys()
        for name, expected in one.arrays.items():
            np.testing.assert_allclose(other.arrays[name].astype(float), expected.astype(float), rtol=2e-3, atol=2e-3)


def test_statistics_of_rows_and_a_measurement(both) -> None:
    task, found = made_reviews(), []
    part = task.part("test").head(24)
    few = replace(task, splits={"test": part})
    for checkpoint in both:
        rows = encode(checkpoint.tokenizer, part, 64)
        level = level_of(Sample(checkpoint, rows, kept_heads(checkpoint.model)), KeyBudget(keys=2), NOBODY)
        found.append((level, evaluate_checkpoint(checkpoint, few, "test", budget=KeyBudget(keys=2))))
    (here, scored), (there, scored_there) = found
    np.testing.assert_allclose(there.logits, here.logits, rtol=1e-3, atol=1e-3)
    for one, other in ((here.means, there.means), (here.heads, there.heads)):
        np.testing.assert_allclose(other, one, rtol=1e-3, atol=1e-3, equal_nan=True)
    assert scored_there.estimate.value == pytest.approx(scored.estimate.value)
