"""The arithmetic of one attention layer, with the choice of keys left open.

Written to agree with transformers' eager attention in every model family, and with sdpa where the two differ: a query
that sees no key reads nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, final

import torch
from torch import Tensor
from torch.nn import functional

from compecon.attention.masks import visible_keys
from compecon.attention.selection import NOT_A_NUMBER

Choose: TypeAlias = Callable[[Tensor, Tensor], Tensor]  # (scores, visible) -> keep


@final
@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What a model passes to its attention function."""

    query: Tensor  # shape (batch, head, query, feature)
    key: Tensor  # shape (batch, key head, key, feature); a key head serves one or several consecutive heads
    value: Tensor  # shape (batch, key head, key, value feature)
    # Broadcastable to (batch, head, query, key): True where visible; or floats added to scores, see `visible_keys`
    mask: Tensor | None
    scaling: float  # factor of the scores
    causal: bool = False  # without a mask, whether a query sees only the keys up to its own position
    bias: Tensor | None = None  # added to the scores before any selection, broadcastable to them (T5's positions)
    softcap: float | None = None  # scores are squeezed into (-softcap, softcap) by tanh (Gemma 2)
    sinks: Tensor | None = None  # a logit per head that takes part in the softmax and is not read (gpt-oss)
    dropout: float = 0.0  # probability of dropping a weight


class Outputs(NamedTuple):
    """What comes back: mixed values (batch, query, head, value feature), weights and what was visible."""

    mixed: Tensor
    weights: Tensor
    visible: Tensor


def attend(inputs: Inputs, choose: Choose | None = None) -> Outputs:
    """Softmax attention over the keys that ``choose`` keeps, given scores (batch, head, query, key) and visibility.

    Weights are before dropout, in float32 or float64, 0 where nothing is read.

    Raises:
        ValueError: If the result is NaN, or it is unclear what the mask hides.
    """
    groups = inputs.query.shape[1] // inputs.key.shape[1]
    value = inputs.value.repeat_interleave(groups, 1) if groups > 1 else inputs.value
    scores = _scores(inputs, inputs.key.repeat_interleave(groups, 1) if groups > 1 else inputs.key)
    visible, added = _visible(inputs, scores)
    if added is not None:
        scores = scores + added
    scores = _hide(scores, visible if choose is None else choose(scores, visible))
    weights = _softmax(scores, inputs.sinks)
    mixed = _mix(weights, value, inputs.dropout)
    if _is_nan(mixed):  # rare, so found out afterwards: a query that reads nothing, or a model gone wrong
        idle = (scores == -torch.inf).all(-1, keepdim=True)
        weights = _softmax(scores.masked_fill(idle, 0), inputs.sinks).masked_fill(idle, 0)
        mixed = _mix(weights, value, inputs.dropout)
        if _is_nan(mixed):
            raise ValueError(NOT_A_NUMBER)
    return Outputs(mixed.transpose(1, 2).contiguous(), weights, visible.expand(-1, -1, *scores.shape[-2:]))


def _scores(inputs: Inputs, key: Tensor) -> Tensor:
    scores = inputs.query @ key.transpose(-1, -2)
    scores = scores.mul_(inputs.scaling) if not scores.requires_grad else scores * inputs.scaling
    if inputs.softcap is not None:
        scores = torch.tanh(scores / inputs.softcap) * inputs.softcap
    return scores if inputs.bias is None else scores + inputs.bias


def _visible(inputs: Inputs, scores: Tensor) -> tuple[Tensor, Tensor | None]:
    """One boolean mask, whatever form it came in, and what remains to be added to the scores."""
    n_queries, n_keys = scores.shape[-2:]
    if inputs.mask is None:
        if not inputs.causal or n_queries == 1:
            return torch.ones(1, 1, 1, 1, dtype=torch.bool, device=scores.device), None
        return torch.ones(1, 1, n_queries, n_keys, dtype=torch.bool, device=scores.device).tril(), None
    mask = inputs.mask[..., :n_keys]  # a preallocated cache makes masks longer than its filled part
    if mask.dtype == torch.bool:
        return mask, None
    visible = visible_keys(mask, scores)
    return visible, mask.masked_fill(mask == -torch.inf, 0)


def _hide(scores: Tensor, keep: Tensor) -> Tensor:
    if keep.numel() == 1 and bool(keep):
        return scores
    return torch.where(keep, scores, -torch.inf)  # on a CPU quicker than a masked fill, even one in place


def _softmax(scores: Tensor, sinks: Tensor | None) -> Tensor:
    exact = torch.promote_types(scores.dtype, torch.float32)
    if sinks is None:
        return scores.softmax(-1, dtype=exact)
    column = sinks.view(1, -1, 1, 1).expand(*scores.shape[:-1], 1).to(scores.dtype)
    return torch.cat([scores, column], dim=-1).softmax(-1, dtype=exact)[..., :-1]


def _mix(weights: Tensor, value: Tensor, dropout: float) -> Tensor:
    dropped = functional.dropout(weights, dropout) if dropout else weights
    return dropped.to(value.dtype) @ value


def _is_nan(mixed: Tensor) -> bool:
    return math.isnan(mixed.detach().amax().item())  # a NaN anywhere is the maximum
