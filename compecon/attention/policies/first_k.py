"""The first keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor
from typing_extensions import override

from compecon.attention.policies.policy import Policy


@final
@dataclass(frozen=True, slots=True)
class FirstK(Policy):
    """The first keys the query sees: a control, blind to the text.

    Examples:
        >>> from compecon import FirstK, KeyBudget
        >>> scores, visible = torch.tensor([[[[0.0, 2.0, 1.0, 3.0]]]]), torch.ones(1, 1, 1, 4, dtype=torch.bool)
        >>> FirstK().keep(scores, visible, KeyBudget(keys=2), layer=0).flatten().tolist()
        [True, True, False, False]
    """

    by_head: ClassVar[bool] = True

    @override
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        return -torch.arange(scores.shape[-1], device=scores.device, dtype=torch.float32).view(1, 1, 1, -1)
