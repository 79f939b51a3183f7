"""How many keys a query reads, in effect."""

from __future__ import annotations

from typing import final

from torch import Tensor
from typing_extensions import override

from compecon.incentives.costs.cost import AttentionCost
from compecon.stats.inequality import effective_number


@final
class EffectiveKeys(AttentionCost):
    """Effective number of keys a query reads, exp(entropy), as a share of those it sees: from 1/n to 1.

    Its gradient sharpens attention. Dense kernels do the same work whatever the weights are, so it saves no FLOPs.

    Examples:
        >>> from compecon import EffectiveKeys, load_checkpoint
        >>> checkpoint = load_checkpoint("sentiment")
        >>> with EffectiveKeys().metered(checkpoint.model, gates=None) as read:
        ...     output = checkpoint.model(**checkpoint.encode("A warm and funny film.").batch)
        ...     share = float(read(None).detach())  # of the 8 tokens, on average
        >>> 1 / 8 < share < 1
        True
    """

    @override
    def _per_query(self, weights: Tensor, visible: Tensor) -> Tensor:
        shown = visible.expand_as(weights)
        idle = ~shown.any(-1, keepdim=True)  # padding to the left of a causal model sees nothing; it is left out later
        shown = shown | idle
        return effective_number(weights.masked_fill(idle, 1), shown) / shown.sum(-1)
