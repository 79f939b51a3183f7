"""Keys with the highest logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Tensor
from typing_extensions import override

from compecon.attention.policies.policy import Policy


@final
@dataclass(frozen=True, slots=True)
class TopK(Policy):
    """The highest logits. Exact top-k still scores every key: it saves reads, not the products that rank them."""

    @override
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        return scores
