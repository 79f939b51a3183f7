"""Attention under every policy against its definition, one query at a time in Python's own numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch

from compecon.attention.budget import KeyBudget
from compecon.attention.kernel import Inputs, attend
from compecon.attention.policies import POLICIES
from compecon.attention.policies.policy import Origin

_ROWS, _HEADS, _QUERIES, _KEYS, _WIDTH = 2, 4, 9, 13, 4
_LAYER, _SINKS, _MASS, _SEED = 3, 4, 0.9, 0  # the last three are what policies of the menu have
_SCALING = 0.25


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("keys", [None, 1, 3, 6])
@pytest.mark.parametrize("policy", POLICIES)
def test_what_a_query_reads_is_what_the_policy_says(
    anywhere: torch.device, policy: str, keys: int | None, dtype: torch.dtype
) -> None:
    # Whole numbers so small that scores are exact in bfloat16: with ties, and to the bit the same on every device.
    query, key, value = (torch.randint(-2, 3, (_ROWS, _HEADS, n, _WIDTH)).to(dtype) for n in (_QUERIES, _KEYS, _KEYS))
    visible = torch.rand(_ROWS, 1, _QUERIES, _KEYS) < 0.7
    visible[0, 0, 2] = False  # a query that sees nothing
    inputs = Inputs(*(part.to(anywhere) for part in (query, key, value, visible)), scaling=_SCALING)
    made, budget, origin = POLICIES.make(policy), KeyBudget(keys or _KEYS), Origin(_KEYS - _QUERIES)
    given = attend(inputs, None if keys is None else lambda seen, shape: made.hide(seen, shape, budget, _LAYER, origin))
    weights, mixed = given.weights.double().cpu(), given.mixed.double().cpu()
    wrong: list[str] = []
    for row, head, place in torch.cartesian_prod(*map(torch.arange, (_ROWS, _HEADS, _QUERIES))).tolist():
        seen = visible[row, 0, place].nonzero().flatten().tolist()
        scores = (query[row, head, place].double() @ key[row, head].double().T * _SCALING).tolist()
        kept = seen if keys is None else _kept(policy, seen, scores, keys, head, place + _KEYS - _QUERIES)
        total = sum(math.exp(scores[k]) for k in kept)
        expected = torch.tensor([math.exp(scores[k]) / total if k in kept else 0.0 for k in range(_KEYS)])
        if (weights[row, head, place] > 0).tolist() != (expected > 0).tolist():
            wrong.append(f"{row, head, place} reads other keys")
        near = {"atol": 4e-3 if dtype == torch.bfloat16 else 1e-6, "rtol": 0.0}
        if not torch.allclose(weights[row, head, place], expected.double(), **near):
            wrong.append(f"{row, head, place} has other weights")
        out = expected.double() @ value[row, head].double()
        if not torch.allclose(mixed[row, place, head], out, **{**near, "atol": 5 * near["atol"]}):
            wrong.append(f"{row, head, place} has another mean")
    assert wrong == []


def _kept(policy: str, seen: Sequence[int], scores: Sequence[float], keys: int, head: int, position: int) -> set[int]:
    """Keys that a query reads of those it sees; ties go to the earlier one."""
    falling = sorted(seen, key=lambda k: (-scores[k], k))
    if policy == "random":
        falling = sorted(seen, key=lambda k: (-_merit(head, position, k), k))
    elif policy == "first":
        falling = list(seen)
    elif policy == "sink-recent":
        falling = [*seen[:_SINKS], *reversed(seen[_SINKS:])]
    elif policy == "top-mass":
        total, held = sum(math.exp(scores[k]) for k in seen), 0.0
        enough: list[int] = []
        for k in falling:
            if held < _MASS * total:
                enough.append(k)
            held += math.exp(scores[k])
        falling = enough
    else:
        assert policy == "top-k", f"{policy} needs a definition here"
    return set(falling[:keys])


def _merit(head: int, query: int, key: int) -> float:
    """Wellons' lowbias32 of seed, layer, head and positions, as a signed number in float32."""
    state = 0
    for word in (_SEED, _SEED >> 32, _LAYER, head, query, key):
        state ^= word & 0xFFFFFFFF
        state = (state ^ state >> 16) * 0x7FEB352D & 0xFFFFFFFF
        state = (state ^ state >> 15) * 0x846CA68B & 0xFFFFFFFF
        state ^= state >> 16
    return float(torch.tensor(state - (state >> 31 << 32), dtype=torch.float32))
