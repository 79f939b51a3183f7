"""Rows to learn from: checked before the first step, and in an order that is the same after a resumption."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from numbers import Integral, Real
from typing import final

import numpy as np
import torch
from torch.utils.data import Sampler
from transformers import PreTrainedModel
from transformers.trainer_pt_utils import get_length_grouped_indices

from compecon.tasks.encode_rows import Features, Windows


@final
class LikeLengths(Sampler[int]):
    """Indices of rows, shuffled by the seed and the epoch alone, such that those of a step have similar lengths.

    Trainer's own sampler draws the order from the generator that dropout uses as well, so that a resumed training, and
    each process of several, would read rows in an order of its own. `epoch` gives the epoch that is about to begin.
    """

    def __init__(self, rows: Sequence[Features], together: int, seed: int, epoch: Callable[[], int]) -> None:
        same = rows.length if isinstance(rows, Windows) else None
        self._lengths = [same] * len(rows) if same else [len(row["input_ids"]) for row in rows]
        self._together, self._seed, self._epoch = together, seed, epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        seed = int(np.random.SeedSequence((self._seed, self._epoch())).generate_state(1)[0])
        generator = torch.Generator().manual_seed(seed)
        order: list[int] = get_length_grouped_indices(  # type: ignore[no-untyped-call]
            self._lengths, self._together, generator=generator
        )
        yield from order


def require_learnable(model: PreTrainedModel, rows: Sequence[Features]) -> None:
    """Make sure that a model can learn from rows, where a GPU would end the process with an assertion.

    Raises:
        ValueError: If there is no row, a label is missing or the head has no output for it, or weights are in float16,
            which loses small steps.
    """
    if any(part.dtype == torch.float16 for part in model.parameters()):
        raise ValueError("the model's weights are in float16, which loses small steps. Call model.float() first.")
    if not len(rows):
        raise ValueError("there are no rows to learn from. Pass at least one.")
    if isinstance(rows, Windows):  # their labels are their tokens
        return
    outputs = getattr(model.config, "num_labels", 1) or 1
    for number, row in enumerate(rows):
        if "labels" not in row:
            raise ValueError(f"row {number} has no labels. Encode a split that has some.")
        label = row["labels"]
        if not isinstance(label, Real) or (outputs == 1 and math.isfinite(label)):
            continue
        if outputs == 1 or not isinstance(label, Integral) or not 0 <= int(label) < outputs:
            wanted = "a finite number" if outputs == 1 else f"a whole number from 0 to {outputs - 1}"
            raise ValueError(f"row {number} has the label {label!r}, but the model's head needs {wanted}.")
