"""The first keys and the latest ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor
from typing_extensions import override

from compecon.attention.budget import is_whole
from compecon.attention.policies.policy import Policy


@final
@dataclass(frozen=True, slots=True)
class SinkRecent(Policy):
    """The first few keys the query sees, then the most recent ones.

    Args:
        sinks: How many of the first keys come before all others; at least 0.

    Raises:
        ValueError: If ``sinks`` is not a whole number of at least 0.

    References:
        Xiao et al. (2024), "Efficient Streaming Language Models with Attention Sinks", ICLR.

    Examples:
        >>> from compecon import KeyBudget, SinkRecent
        >>> scores, visible = torch.zeros(1, 1, 1, 6), torch.ones(1, 1, 1, 6, dtype=torch.bool)
        >>> SinkRecent(sinks=1).keep(scores, visible, KeyBudget(keys=3), layer=0).flatten().tolist()
        [True, False, False, False, True, True]
    """

    sinks: int = 4

    def __post_init__(self) -> None:
        if not (is_whole(self.sinks) and self.sinks >= 0):
            raise ValueError(f"sinks must be a whole number of at least 0, got {self.sinks!r}.")

    by_head: ClassVar[bool] = True

    @override
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        n_keys = scores.shape[-1]
        place = torch.arange(n_keys, device=scores.device, dtype=torch.float32)
        # Counted from the first key seen, so that leading padding is not taken for a sink.
        nth_seen = (scores != -torch.inf).cumsum(-1, dtype=torch.int32)
        return torch.where(nth_seen <= self.sinks, 2 * n_keys - place, place)
