"""Random values: the baseline that every other method has to beat."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from torch import nn
from typing_extensions import override

from compecon.compression.families import unit_counts
from compecon.compression.importance.base import Batch, Importance, Loss
from compecon.compression.units import Units


@final
@dataclass(frozen=True, slots=True)
class RandomUnits(Importance):
    """Independent and uniform in [0, 1); needs no data.

    Attributes:
        seed: The same values for the same seed and sizes, on every device.
    """

    seed: int = 0

    @override
    def score(self, model: nn.Module, batches: Iterable[Batch], loss: Loss) -> Units:
        generator = torch.Generator().manual_seed(self.seed)
        units = Units.full(unit_counts(model), 0.0)
        return units.map(lambda part: torch.rand(len(part), generator=generator, dtype=torch.float64))
