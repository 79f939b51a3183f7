"""The arithmetic of one attention layer, with the choice of keys left open.

Written to agree with transformers' eager attention in every model family, and with sdpa where the two differ: a query
that sees no key reads nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, final

import torch
from torch import Tensor
from torch.nn import functional

Choose: TypeAlias = Callable[[Tensor, Tensor], Tensor]  # (scores, visible) -> keep


@final
@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What a model hands to its attention function.

    Attributes:
        query: Shape (batch, head, query, feature).
        key: Shape (batch, key head, key, feature); a key head serves one or several consecutive heads.
        value: Shape (batch, key head, key, value feature).
        mask: Broadcastable to (batch, head, query, key): booleans, True where visible; or floats added to the scores.
        scaling: Factor of the scores.
        causal: Without a mask, whether a query sees only the keys up to its own place.
        bias: Added to the scores before any selection, broadcastable to (batch, head, query, key) (T5's positions).
        softcap: Scores are squeezed into (-softcap, softcap) by tanh (Gemma 2).
        sinks: One logit a head that takes part in the softmax and is not read (gpt-oss); shape (head,).
        dropout: Probability of dropping a weight.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    scaling: float
    causal: bool = False
    bias: Tensor | None = None
    softcap: float | None = None
    sinks: Tensor | None = None
    dropout: float = 0.0


class Outputs(NamedTuple):
    """What comes back: mixed values (batch, query, head, value feature), weights and what was visible."""

    mixed: Tensor
    weights: Tensor
    visible: Tensor


def attend(inputs: Inputs, choose: Choose | None = None) -> Outputs:
    """Softmax attention over the keys that ``choose`` keeps of the visible ones.

    Args:
        inputs: See there.
        choose: Gets the scores, shape (batch, head, query, key), and what is visible; returns what is read.

    Returns:
        Weights are before dropout, in float32 or float64, 0 where nothing is read.

    Raises:
        ValueError: If the result is NaN.
    """
    groups = inputs.query.shape[1] // inputs.key.shape[1]
    value = inputs.value.repeat_interleave(groups, 1) if groups > 1 else inputs.value
    scores = _scores(inputs, inputs.key.repeat_interleave(groups, 1) if groups > 1 else inputs.key)
    visible, added = _visible(inputs, scores)
    if added is not None:
        scores = scores + added
    weights = _weights(scores, visible if choose is None else choose(scores, visible), inputs.sinks)
    dropped = functional.dropout(weights, inputs.dropout) if inputs.dropout else weights
    mixed = dropped.to(value.dtype) @ value
    if bool(mixed.detach().amax().isnan()):
        raise ValueError("attention that is not a number (NaN)")
    return Outputs(mixed.transpose(1, 2).contiguous(), weights, visible)


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
        visible = torch.ones(1, 1, n_queries, n_keys, dtype=torch.bool, device=scores.device)
        return visible.tril() if inputs.causal and n_queries > 1 else visible, None
    mask = inputs.mask[..., :n_keys]  # a preallocated cache makes masks longer than its filled part
    if mask.dtype == torch.bool:
        return mask, None
    visible = mask > torch.finfo(mask.dtype).min / 2  # masks written as "a very low number" or as -inf
    return visible, mask.masked_fill(~visible, 0)


def _weights(scores: Tensor, keep: Tensor, sinks: Tensor | None) -> Tensor:
    exact = torch.promote_types(scores.dtype, torch.float32)
    drop = ~keep
    scores = scores.masked_fill(drop, -torch.inf) if scores.requires_grad else scores.masked_fill_(drop, -torch.inf)
    if sinks is not None:
        column = sinks.view(1, -1, 1, 1).expand(*scores.shape[:-1], 1).to(scores.dtype)
        return torch.cat([scores, column], dim=-1).softmax(-1, dtype=exact)[..., :-1]
    idle = drop.all(-1, keepdim=True)
    if not bool(idle.any()):
        return scores.softmax(-1, dtype=exact)
    return scores.masked_fill(idle, 0).softmax(-1, dtype=exact).masked_fill(idle, 0)  # a query that reads nothing
