"""The paper's first term, as it is written."""

from __future__ import annotations

from typing import final

from torch import Tensor
from typing_extensions import override

from compecon.incentives.costs.cost import AttentionCost


@final
class AttentionL1(AttentionCost):
    """L1 norm of attention weights after the softmax, the paper's first term: always 1, with a gradient of 0.

    Kept for parity, to show that it does nothing: each row is a distribution, so its L1 norm is 1 whatever is learnt.
    """

    @override
    def _per_query(self, weights: Tensor, visible: Tensor) -> Tensor:
        return weights.abs().sum(-1)
