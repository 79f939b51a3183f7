"""The arithmetic of one attention layer, with the choice of keys left open.

Written to agree with transformers' eager attention in every model family, and with sdpa where the two differ: a query
that sees no key reads nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias, final

import torch
from torch import Tensor
from torch.nn import functional

from compecon.attention.masks import visible_keys
from compecon.attention.selection import CHUNK, NOT_A_NUMBER

# The scores (batch, head, query, key) of a slice of the batch and a slice of the heads, -inf where hidden, and what is
# hidden, broadcastable to them, or None for nothing. Returns the scores, -inf where no key is read (or so low that a
# softmax gives 0); it may overwrite what it is given.
Hide: TypeAlias = Callable[[Tensor, Tensor | None, slice, slice], Tensor]
Choose: TypeAlias = Callable[[Tensor, torch.Size], Hide | None]  # what is visible, and the shape of the scores


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


def attend(inputs: Inputs, choose: Choose | None = None, *, by_head: bool = True) -> Outputs:
    """Softmax attention over the keys that ``choose`` leaves, all that are visible by default.

    Where nothing is differentiated, a layer is worked through on a CPU a few heads at a time and in place, so that
    scores stay in a core's cache from the first product to the last.

    Args:
        inputs: What the model passes.
        choose: Given what is visible, broadcastable to the shape of the scores (batch, head, query, key), and that
            shape: a function that hides the scores of some heads (see `Hide`).
        by_head: Whether that function may be called for some heads at a time.

    Returns:
        Weights are before dropout, in float32 or float64, 0 where nothing is read.

    Raises:
        ValueError: If the result is NaN, or it is unclear what the mask hides.
    """
    groups = inputs.query.shape[1] // inputs.key.shape[1]
    if groups > 1:
        inputs = replace(
            inputs, key=inputs.key.repeat_interleave(groups, 1), value=inputs.value.repeat_interleave(groups, 1)
        )
    visible, added = _visible(inputs)
    shape = torch.Size([*inputs.query.shape[:3], inputs.key.shape[2]])
    layer = _Layer(inputs, added, None if _all(visible) else ~visible, choose and choose(visible, shape), shape)
    mixed, weights = layer.run(by_head)
    if _is_nan(mixed):  # rare, so found out afterwards: a query that reads nothing, or a model gone wrong
        mixed, weights = layer.run(by_head, idle=True)
        if _is_nan(mixed):
            raise ValueError(NOT_A_NUMBER)
    return Outputs(mixed, weights, visible.expand(-1, -1, *shape[-2:]))


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    inputs: Inputs  # a key head for each head
    added: Tensor | None  # to the scores, broadcastable to them
    hidden: Tensor | None  # True where a key is not seen, broadcastable to the scores; None if all are seen
    hide: Hide | None
    shape: torch.Size  # of the scores

    def run(self, by_head: bool, *, idle: bool = False) -> tuple[Tensor, Tensor]:
        """Mixed values (batch, query, head, value feature) and weights; ``idle``: some queries may read nothing."""
        given = (self.inputs.query, self.inputs.key, self.inputs.value, self.inputs.bias, self.inputs.sinks, self.added)
        everything = slice(0, self.shape[0]), slice(0, self.shape[1])
        if torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in given):
            weights = self._weights(*everything, None, idle)
            return self._mixed(weights, *everything).contiguous(), weights
        query, value = self.inputs.query, self.inputs.value
        weights = query.new_empty(self.shape, dtype=_exact(query.dtype))
        mixed = value.new_empty(self.shape[0], self.shape[2], self.shape[1], value.shape[-1])
        whole = query.device.type != "cpu" or not by_head
        for rows, heads in [everything] if whole else _parts(self.shape):
            part = self._weights(rows, heads, weights[rows, heads], idle)
            mixed[rows, :, heads] = self._mixed(part, rows, heads)
        return mixed, weights

    def _weights(self, rows: slice, heads: slice, into: Tensor | None, idle: bool) -> Tensor:
        """The weights of a part of the layer, in ``into``, which then holds scores before; None if differentiated."""
        inputs, scores = self.inputs, self.scores(rows, heads, into)
        if self.added is not None:
            scores = scores + _cut(self.added, rows, heads)
        hidden = None if self.hidden is None else _cut(self.hidden, rows, heads)
        if hidden is not None:
            scores = scores.masked_fill(hidden, -torch.inf) if into is None else scores.masked_fill_(hidden, -torch.inf)
        if self.hide is not None:
            scores = self.hide(scores, hidden, rows, heads)
        nothing = (scores == -torch.inf).all(-1, keepdim=True) if idle else None
        if nothing is not None:
            scores = scores.masked_fill(nothing, 0)
        weights = _softmax(scores, None if inputs.sinks is None else inputs.sinks[heads], into)
        if nothing is None:
            return weights
        return weights.masked_fill(nothing, 0) if into is None else weights.masked_fill_(nothing, 0)

    def scores(self, rows: slice, heads: slice, into: Tensor | None) -> Tensor:
        """Those of the model, before a mask."""
        inputs = self.inputs
        scores = _products(inputs.query[rows, heads], inputs.key[rows, heads], inputs.scaling, into)
        if inputs.softcap is not None:
            scores = torch.tanh(scores / inputs.softcap) * inputs.softcap
        return scores if inputs.bias is None else scores + _cut(inputs.bias, rows, heads)

    def _mixed(self, weights: Tensor, rows: slice, heads: slice) -> Tensor:
        """Shape (batch, query, head, value feature)."""
        value, dropout = self.inputs.value[rows, heads], self.inputs.dropout
        dropped = functional.dropout(weights, dropout) if dropout else weights
        return (dropped.to(value.dtype) @ value).transpose(1, 2)


def _products(query: Tensor, key: Tensor, scaling: float, into: Tensor | None) -> Tensor:
    if into is not None and into.dtype == query.dtype:
        flat = into.flatten(0, 1)
        torch.baddbmm(flat, query.flatten(0, 1), key.flatten(0, 1).transpose(-1, -2), beta=0, alpha=scaling, out=flat)
        return into
    products = query @ key.transpose(-1, -2)  # in half precision rounded before they are scaled, as in transformers
    return products * scaling if products.requires_grad else products.mul_(scaling)


def _parts(shape: torch.Size) -> Iterator[tuple[slice, slice]]:
    """Slices of the batch and of the heads whose scores fit into a core's cache, if one head's do."""
    n_rows, n_heads, n_queries, n_keys = shape
    heads = min(n_heads, max(1, CHUNK // (n_queries * n_keys)))
    rows = max(1, CHUNK // (n_heads * n_queries * n_keys))  # 1 unless all heads fit
    for row in range(0, n_rows, rows):
        for head in range(0, n_heads, heads):
            yield slice(row, min(row + rows, n_rows)), slice(head, min(head + heads, n_heads))


def _cut(tensor: Tensor, rows: slice, heads: slice) -> Tensor:
    """A part of what is broadcastable to the scores."""
    everything = slice(None)
    return tensor[everything if tensor.shape[0] == 1 else rows, everything if tensor.shape[1] == 1 else heads]


def _visible(inputs: Inputs) -> tuple[Tensor, Tensor | None]:
    """One boolean mask, whatever form it came in, and what remains to be added to the scores."""
    query, n_keys = inputs.query, inputs.key.shape[2]
    n_queries = query.shape[2]
    if inputs.mask is None:
        if not inputs.causal or n_queries == 1:
            return torch.ones(1, 1, 1, 1, dtype=torch.bool, device=query.device), None
        return torch.ones(1, 1, n_queries, n_keys, dtype=torch.bool, device=query.device).tril(), None
    mask = inputs.mask[..., :n_keys]  # a preallocated cache makes masks longer than its filled part
    if mask.dtype == torch.bool:
        return mask, None
    with torch.no_grad():
        everything = slice(0, query.shape[0]), slice(0, query.shape[1])
        scores = _Layer(inputs, None, None, None, query.shape).scores(*everything, None)
    return visible_keys(mask, scores), mask.masked_fill(mask == -torch.inf, 0)


def _all(visible: Tensor) -> bool:
    # numpy looks at 32 booleans at a time, torch at one
    return bool(visible.numpy().all()) if visible.device.type == "cpu" else bool(visible.all())


def _exact(dtype: torch.dtype) -> torch.dtype:
    return torch.promote_types(dtype, torch.float32)


def _softmax(scores: Tensor, sinks: Tensor | None, into: Tensor | None) -> Tensor:
    exact = _exact(scores.dtype) if into is None else into.dtype
    if sinks is None:
        return scores.softmax(-1, dtype=exact) if into is None else torch.softmax(scores, -1, dtype=exact, out=into)
    column = sinks.view(1, -1, 1, 1).expand(*scores.shape[:-1], 1).to(scores.dtype)
    weights = torch.cat([scores, column], dim=-1).softmax(-1, dtype=exact)[..., :-1]
    return weights if into is None else into.copy_(weights)


def _is_nan(mixed: Tensor) -> bool:
    return math.isnan(mixed.detach().amax().item())  # a NaN anywhere is the maximum
