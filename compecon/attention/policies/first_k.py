"""The first keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor
from typing_extensions import override

from compecon.attention.policies.policy import Policy


@final
@dataclass(frozen=True, slots=True)
class FirstK(Policy):
    """The first keys the query sees."""

    @override
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        return -torch.arange(scores.shape[-1], device=scores.device, dtype=torch.float32).view(1, 1, 1, -1)
