"""Keys at random: the control arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor
from typing_extensions import override

from compecon.attention.budget import is_whole
from compecon.attention.policies.policy import Origin, Policy, last_to_last

_UINT32 = 0xFFFFFFFF


@final
@dataclass(frozen=True, slots=True)
class RandomK(Policy):
    """Random keys: the control arm. What changes under this policy too is arithmetic, not behaviour.

    The merit is a hash of (seed, layer, head, position of the query, key), so it is the same for every row of a batch,
    with and without a key cache of any kind, and on every device. Positions count padding.

    Args:
        seed: Any whole number; another one gives other keys.

    Raises:
        ValueError: If ``seed`` is not a whole number.

    Examples:
        >>> from compecon import KeyBudget, RandomK
        >>> scores, visible = torch.zeros(1, 1, 1, 100), torch.ones(1, 1, 1, 100, dtype=torch.bool)
        >>> one, other = (RandomK(seed).keep(scores, visible, KeyBudget(keys=10), layer=0) for seed in (0, 1))
        >>> int(one.sum()), int(other.sum()), bool((one == other).all())
        (10, 10, False)
    """

    seed: int = 0

    def __post_init__(self) -> None:
        if not is_whole(self.seed):
            raise ValueError(f"seed must be a whole number, got {self.seed!r}.")

    by_head: ClassVar[bool] = True

    @override
    def merit(self, scores: Tensor, layer: int) -> Tensor:
        return self.merit_from(scores, layer, last_to_last(scores))

    @override
    def merit_from(self, scores: Tensor, layer: int, origin: Origin) -> Tensor:
        _, n_heads, n_queries, n_keys = scores.shape

        def count(n: int, start: int = 0) -> Tensor:
            return torch.arange(start, start + n, dtype=torch.int32, device=scores.device)

        words = [word & _UINT32 for word in (self.seed, self.seed >> 32, layer)]
        state = torch.zeros(1, dtype=torch.int32, device=scores.device)
        for word in words:
            state = _scramble(state ^ (word - (word >> 31 << 32)))
        state = _scramble(state ^ count(n_heads, origin.head).view(-1, 1, 1))
        state = _scramble(state ^ count(n_queries, origin.query).view(-1, 1))
        merit = torch.empty(1, n_heads, n_queries, n_keys, device=scores.device)
        for head in range(n_heads):  # one at a time: what is hashed stays in the cache
            merit[0, head] = _scramble(state[head] ^ count(n_keys, origin.key))
        return merit


def _scramble(state: Tensor) -> Tensor:
    """Hash 32-bit integers (Wellons' "lowbias32"): every input bit moves every output bit. Products wrap around."""
    state = (state ^ (state >> 16 & 0xFFFF)).mul_(0x7FEB352D)
    state.bitwise_xor_(state >> 15 & 0x1FFFF).mul_(0x846CA68B - (1 << 32))
    return state.bitwise_xor_(state >> 16 & 0xFFFF)
