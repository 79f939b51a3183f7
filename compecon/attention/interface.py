"""What transformers calls under our name: an attention function and a mask function, in a block and outside of any."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from compecon.attention.blocks import Block, blocks_of, open_blocks
from compecon.attention.budget import Budget
from compecon.attention.kernel import Hide, Inputs, attend
from compecon.attention.policies.policy import Origin, Policy
from compecon.attention.recorded import LayerAttention, Stack
from compecon.attention.selection import hide_others
from compecon.errors import AttentionError, UnsupportedModelError

_NOT_COMPUTED_HERE = ("indices", "block_indices", "sinks", "cache")  # sparse layers of their own, paged caches

_origins: WeakIdKeyDictionary = WeakIdKeyDictionary()  # of the queries and keys of a mask that was made here


def make_mask(*, found: str, **kwargs: Any) -> Tensor | None:
    """Booleans, and explicit under a block: what a query sees must not hang on a flag that has other rules."""
    if not open_blocks():
        as_found: Any = AttentionMaskInterface._global_mapping.get(found)
        return None if as_found is None else as_found(**kwargs)
    mask: Tensor | None = sdpa_mask(**{**kwargs, "allow_is_causal_skip": False})
    if mask is not None:
        # A preallocated cache counts in a tensor, which it changes before the first layer attends.
        _origins[mask] = Origin(int(kwargs.get("q_offset", 0)), int(kwargs.get("kv_offset", 0)))
    return mask


def attention_forward(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    found: str,
    **kwargs: Any,
) -> tuple[Tensor, Tensor | None]:
    """Attention as the blocks around this line want it, or as ``found`` computes it outside of any (see `Inputs`).

    Returns:
        Mixed values, shape (batch, query, head, value feature), and the weights if they were computed.

    Raises:
        UnsupportedModelError: If the layer passes what is not understood here, or runs for a block but outside of it.
        ValueError: If the result is NaN, or the budget does not fit the layer.
    """
    blocks = blocks_of(module)
    if not blocks:
        return attend_as_found(found, module, query, key, value, attention_mask, kwargs)
    return _attend(module, _inputs(module, query, key, value, attention_mask, kwargs), blocks)


def _inputs(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, kwargs: Mapping[str, Any]
) -> Inputs:
    if ignored := [name for name in _NOT_COMPUTED_HERE if kwargs.get(name) is not None]:
        raise UnsupportedModelError(
            f"{type(module).__name__} passes {', '.join(ignored)} to its attention, which would be ignored here; "
            "such a model can only run without budgets and recordings."
        )
    scaling, causal = kwargs.get("scaling"), kwargs.get("is_causal")
    return Inputs(
        query,
        key,
        value,
        mask,
        scaling=query.shape[-1] ** -0.5 if scaling is None else scaling,
        causal=bool(getattr(module, "is_causal", False) if causal is None else causal),
        bias=kwargs.get("position_bias"),
        softcap=kwargs.get("softcap"),
        sinks=kwargs.get("s_aux"),
        dropout=kwargs.get("dropout", 0.0),
    )


def _attend(module: nn.Module, inputs: Inputs, blocks: list[Block]) -> tuple[Tensor, Tensor]:
    arrivals = [(block, *block.arrive(module)) for block in blocks]

    def choose(visible: Tensor, shape: torch.Size) -> Hide | None:
        chosen = []
        for block, stack, layer in arrivals:
            origin = _origin(block, stack, inputs.mask, visible, shape)
            if block.budget is not None and block.policy is not None:
                chosen.append((block.policy, block.budget, layer, origin))
        if len(chosen) == 1:
            [(policy, budget, layer, origin)] = chosen
            return policy.hide(visible, shape, budget, layer, origin)
        return _one_after_the_other(chosen, visible) if chosen else None

    policies = [block.policy for block, _, _ in arrivals if block.policy is not None]
    by_head = not policies or (len(policies) == 1 and policies[0].by_head)
    try:
        mixed, weights, visible = attend(inputs, choose, by_head=by_head)
    except ValueError as error:
        block, stack, layer = arrivals[0]
        raise AttentionError(f"layer {layer} ({stack}): {error}") from error
    for block, stack, layer in arrivals:
        if block.seen is not None and (block.layers is None or layer in block.layers):
            block.seen.append(LayerAttention(layer, stack, weights, visible))
    return mixed, weights.to(inputs.value.dtype)


def _one_after_the_other(chosen: list[tuple[Policy, Budget, int, Origin]], visible: Tensor) -> Hide:
    """Each policy selects from what the one before it left."""

    def hide(scores: Tensor, *_: object) -> Tensor:
        kept = visible
        for policy, budget, layer, origin in chosen:
            kept = policy.keep(scores, kept, budget, layer, origin)
        return hide_others(scores, kept)

    return hide


def _origin(block: Block, stack: Stack, mask: Tensor | None, visible: Tensor, shape: torch.Size) -> Origin:
    """Where the first query and the first key stand; cross-attention's queries are those of the last self-attention."""
    now = block.forward_pass()
    if stack == "cross":
        return Origin(now.first_query)
    n_queries, n_keys = shape[-2:]
    if mask is not None and mask in _origins:
        origin: Origin = _origins[mask]
    elif n_queries == n_keys:
        origin = Origin()
    else:  # a mask from elsewhere: no query sees what a preallocated cache has not filled yet
        seen = visible.expand(*visible.shape[:-1], n_keys).flatten(0, -2).any(0).nonzero()
        origin = Origin(max(0, int(seen.max()) + 1 - n_queries) if len(seen) else 0)
    now.first_query = origin.query
    return origin


def attend_as_found(  # noqa: PLR0913 - as above
    found: str,
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    kwargs: Mapping[str, Any],
) -> tuple[Tensor, Tensor | None]:
    """Attention as if we were not there, say because some other thread is in a block on this model.

    Args:
        found: The name of an attention implementation.
        module: The layer.
        query: Shape (batch, head, query, feature).
        key: Shape (batch, head or fewer, key, feature).
        value: Likewise.
        mask: Floats to be added to logits, or True for what is visible; None for no mask.
        kwargs: What the layer says besides.

    Returns:
        As of `attention_forward`.
    """
    as_found: Callable[..., tuple[Tensor, Tensor | None]] | None = AttentionInterface._global_mapping.get(found)
    made_here = mask is not None and mask.dtype == torch.bool
    if found == "eager":
        as_found = _eager_of(type(module))  # type: ignore[arg-type]  # mypy: a class is no Hashable
        if mask is not None and made_here:
            mask = torch.zeros_like(mask, dtype=query.dtype).masked_fill_(~mask, torch.finfo(query.dtype).min)
    elif made_here:
        as_found = sdpa_attention_forward
    if as_found is None:
        mixed, weights, _ = attend(_inputs(module, query, key, value, mask, kwargs))
        return mixed, weights.to(value.dtype)
    return as_found(module, query, key, value, mask, **kwargs)


@cache
def _eager_of(kind: type[nn.Module]) -> Callable[..., tuple[Tensor, Tensor | None]] | None:
    """The function that a layer's file gives transformers for "eager"."""
    for name in dir(kind):
        method = inspect.unwrap(getattr(kind, name, None))  # type: ignore[arg-type]  # mypy: not every attribute is a function
        code = getattr(method, "__code__", None)
        for used in getattr(code, "co_names", ()):
            if used.endswith("eager_attention_forward") and used in method.__globals__:
                function: Callable[..., tuple[Tensor, Tensor | None]] = method.__globals__[used]
                return function
    return None
