"""The first keys and the latest ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor
from typing_extensions import override

from compecon.attention.budget import is_whole
from compecon.attention.policies.policy import Policy


@final
@dataclass(frozen=True, slots=True)
class SinkRecent(Policy):
    """The first ``sinks`` keys the query sees, then the most recent ones.

    References:
        Xiao et al. (2024), "Efficient Streaming Language Models with Attention Sinks", ICLR.

    Raises:
        ValueError: If ``sinks`` is no whole number of at least 0.
    """

    sinks: int = 4

    def __post_init__(self) -> None:
        if not (is_whole(self.sinks) and self.sinks >= 0):
            raise ValueError(f"sinks must be a whole number of at least 0, got {self.sinks!r}.")

    @override
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        n_keys = scores.shape[-1]
        place = torch.arange(n_keys, device=scores.device, dtype=torch.float32)
        nth_seen = (scores != -torch.inf).cumsum(
            -1, dtype=torch.int32
        )  # from 1, so that leading padding is not taken for a sink
        return torch.where(nth_seen <= self.sinks, 2 * n_keys - place, place)
