"""The methods on a model that was really trained, on data that it was not trained for this purpose on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor, nn
from torch.nn import functional

from compecon.checkpoints.load import load_checkpoint
from compecon.compression.importance import IMPORTANCES
from compecon.compression.prune_model import prune
from compecon.compression.scaled import scaled
from compecon.compression.units import share_of_macs, unit_macs
from compecon.evaluation.predict_rows import predict
from compecon.tasks.encode_rows import encode
from compecon.tasks.readers.data_folder import read_sst2

N_TOKENS, EXAMPLES, BATCH = 25, 256, 32


def loss(model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
    inputs = {name: part for name, part in batch.items() if name != "labels"}
    return functional.cross_entropy(model(**inputs).logits, batch["labels"])


def padded(tokenizer: Any, rows: list[dict[str, Any]]) -> list[Mapping[str, Tensor]]:
    """Batches of similar length: padding costs as much as text."""
    rows = sorted(rows, key=lambda row: len(row["input_ids"]))
    parts = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    return [dict(tokenizer.pad(part, return_tensors="pt")) for part in parts]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_informed_methods_beat_chance_at_half_the_macs(data_dir: Path) -> None:
    checkpoint, task = load_checkpoint("sentiment", "cpu"), read_sst2(data_dir)
    model, tokenizer = checkpoint.model, checkpoint.tokenizer
    train, dev = (encode(tokenizer, task.splits[name], 128) for name in ("train", "dev"))
    batches = padded(tokenizer, train[:: len(train) // EXAMPLES][:EXAMPLES])
    macs = unit_macs(model, N_TOKENS)

    def accuracy(method: str, seed: int = 0) -> float:
        values = prune(model, method, 0.5, n_tokens=N_TOKENS, batches=batches, loss=loss, seed=seed)
        assert 0.49 < share_of_macs(values, macs) <= 0.5
        with scaled(model, values):
            found = predict(model, tokenizer, dev).argmax(-1).numpy()
        return float(np.mean(found == task.splits["dev"].targets))

    chance = float(np.mean([accuracy("random", seed) for seed in range(5)]))
    assert all(accuracy(method) > chance for method in IMPORTANCES if method != "random")
