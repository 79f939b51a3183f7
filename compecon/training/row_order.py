"""The order in which rows are read: shuffled, rows of like length together, and the same after a resumption."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import final

import numpy as np
import torch
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices

from compecon.tasks.encode_rows import Features, Windows


@final
class LikeLengths(Sampler[int]):
    """Indices of rows in an order of each epoch's own, such that rows that are batched together have like lengths.

    The order depends on the seed and the epoch alone. Trainer's own sampler draws it from the generator that dropout
    uses as well, so that a resumed training, and each process of several, would read rows in an order of its own.

    Args:
        rows: Encoded rows.
        together: Rows of one optimizer step.
        seed: Another seed, another order.
        epoch: Gives the epoch that is about to begin, from 0.
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
