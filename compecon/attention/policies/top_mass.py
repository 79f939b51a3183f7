"""As many keys as hold most of the softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor
from typing_extensions import override

from compecon.attention.budget import is_real
from compecon.attention.policies.policy import Policy
from compecon.attention.selection import keep_largest, sort_descending


@final
@dataclass(frozen=True, slots=True)
class TopMass(Policy):
    """The fewest keys, by falling logit, that hold a given share of the softmax; never more than the budget.

    Args:
        mass: Share of the attention weights that the keys hold together, in (0, 1].

    Raises:
        ValueError: If ``mass`` is not in (0, 1].

    Examples:
        >>> from compecon import KeyBudget, TopMass
        >>> scores, visible = torch.tensor([[[[9.0, 0.0, 9.0, 0.0]]]]), torch.ones(1, 1, 1, 4, dtype=torch.bool)
        >>> TopMass(mass=0.9).keep(scores, visible, KeyBudget(keys=3), layer=0).flatten().tolist()
        [True, False, True, False]
    """

    mass: float = 0.9

    def __post_init__(self) -> None:
        if not (is_real(self.mass) and 0 < self.mass <= 1):
            raise ValueError(f"mass must be in (0, 1], got {self.mass!r}.")

    by_head: ClassVar[bool] = True

    @override
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        if self.mass == 1:
            return scores
        weights = sort_descending(scores).softmax(-1, dtype=torch.promote_types(scores.dtype, torch.float32))
        held = weights.cumsum(-1) - weights  # by the keys before this one
        needed = (held < self.mass).sum(-1, keepdim=True).clamp(min=1)
        return scores.masked_fill(~keep_largest(scores, needed), -torch.inf)
