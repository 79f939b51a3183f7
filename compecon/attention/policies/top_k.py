"""Keys with the highest logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor
from typing_extensions import override

from compecon.attention.policies.policy import Policy


@final
@dataclass(frozen=True, slots=True)
class TopK(Policy):
    """The keys with the highest logits. Exact top-k still scores every key: it saves reads, not the dot products.

    Examples:
        >>> import torch
        >>> from compecon import KeyBudget, TopK
        >>> scores, visible = torch.tensor([[[[0.0, 2.0, 1.0, 3.0]]]]), torch.ones(1, 1, 1, 4, dtype=torch.bool)
        >>> TopK().keep(scores, visible, KeyBudget(keys=2), layer=0).flatten().tolist()
        [False, True, False, True]
    """

    by_head: ClassVar[bool] = True

    @override
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        return scores
