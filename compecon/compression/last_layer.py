"""Compute the last layer of a classifier at the one position that its head reads; keys and values are of all positions.

The result is that of transformers, up to rounding. Where more than the head reads the layer, it is computed whole: in
the blocks of `compecon.attention` (budgets and recordings), where hidden states or attention are returned, within
`every_position`, and on attention implementations other than transformers' "sdpa" and "eager".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from threading import Lock
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.hooks import RemovableHandle
from torch.utils.weak import WeakIdKeyDictionary

from compecon.attention.interface import attend_as_found
from compecon.compression.families import Family, family_of, layers_of
from compecon.compression.read_position import position_read, require_position
from compecon.compression.shaping import NoHeads, projection_copies, steps_after

_AT = "compecon_position"  # a keyword argument that transformers hands down from a model to its layers
_IMPLEMENTATIONS = frozenset({"sdpa", "eager"})
_RETURNED = ("output_hidden_states", "output_attentions")

_every_position: ContextVar[bool] = ContextVar("compecon_every_position", default=False)
_handles: WeakIdKeyDictionary = WeakIdKeyDictionary()  # of models within `at_one_position`
_users: Counter[int] = Counter()  # such contexts, by the identity of their model
_lock = Lock()


def serve_one_position(model: nn.Module) -> RemovableHandle:
    """Have a model compute its last layer at the position that its head reads, until the handle is removed.

    Raises:
        UnsupportedModelError: If the head may read other positions, or the model's layers are not known.
    """
    require_position(model)
    family, last = family_of(model), layers_of(model)[-1]
    block: Any = type(last.block)
    attention: Any = type(last.attention)
    # Nothing takes these classes back: told no position, they are the classes they are made of, and another thread may
    # be anywhere in a forward pass.
    if not isinstance(last.attention, NoHeads):
        last.attention.__class__ = _attention_class(attention, family, projection_copies(last))
    last.block.__class__ = _block_class(block, family)
    return model.register_forward_pre_hook(_hand_down, with_kwargs=True)


@contextmanager
def at_one_position(model: nn.Module) -> Iterator[None]:
    """The same within a context, for a model that can; any other stays as it is. Threads may share the model."""
    with _lock:
        applies = position_read(model) is not None and (model in _handles or not serves_one_position(model))
        if applies:
            _users[id(model)] += 1
            if model not in _handles:
                _handles[model] = serve_one_position(model)
    try:
        yield
    finally:
        with _lock:
            if applies:
                _users[id(model)] -= 1
                if not _users[id(model)]:
                    del _users[id(model)]
                    _handles[model].remove()
                    del _handles[model]


def serves_one_position(model: nn.Module) -> bool:
    """Whether a model does so now."""
    return _hand_down in model._forward_pre_hooks.values()


@contextmanager
def every_position() -> Iterator[None]:
    """Compute last layers whole within the context, for what reads inside of them."""
    token = _every_position.set(True)
    try:
        yield
    finally:
        _every_position.reset(token)


def _hand_down(model: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Before a forward pass: which position its last layer serves, counted from either end or one for each row."""
    config: Any = model.config
    if (
        (not torch.compiler.is_compiling() and _every_position.get())  # a compiler reads no context variable
        or config._attn_implementation not in _IMPLEMENTATIONS
        or getattr(config, "reorder_and_upcast_attn", False)  # GPT-2's softmax of its own
        or any(kwargs.get(name, getattr(config, name, False)) for name in _RETURNED)
    ):
        return None
    if position_read(model) == "first":
        return args, {**kwargs, _AT: 0}
    return args, {**kwargs, _AT: _last_token(config, kwargs.get("input_ids", args[0] if args else None))}


def _last_token(config: Any, ids: Tensor | None) -> Tensor | int:
    """As transformers finds it: the last token that is not the padding token, wherever padding is; shape (row,)."""
    if ids is None or config.pad_token_id is None:
        return -1
    order = torch.arange(ids.shape[-1], device=ids.device, dtype=torch.int32)
    last: Tensor = (order * (ids != config.pad_token_id).to(torch.int32)).argmax(-1)
    return last


@cache
def _block_class(whole: Any, family: Family) -> Any:
    """A layer that serves one position if it is told so; its output there stands at every position, so shapes hold."""
    if hasattr(whole, "computed_whole"):
        return whole

    def forward(self: Any, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        position = kwargs.pop(_AT, None)
        if position is None:
            return cast(Tensor, self.computed_whole(hidden_states, *args, **kwargs))
        context = self.get_submodule(family.norm)(hidden_states) if family.norm else hidden_states
        there = _at(hidden_states, position)
        served: Tensor = self.computed_whole(there, *args, **kwargs, context=context, position=position)
        return served.expand(-1, hidden_states.shape[1], -1)

    return _subclass(whole, forward)


@cache
def _attention_class(whole: Any, family: Family, copies: int) -> Any:
    """Attention whose queries come from one position, and its keys and values from all."""
    if hasattr(whole, "computed_whole"):
        return whole
    inside = f"{family.attention}."
    projections, after = [name.removeprefix(inside) for name in family.projections], steps_after(family)

    def forward(
        self: Any,
        hidden_states: Tensor,
        *args: Any,
        context: Tensor | None = None,
        position: Tensor | int = 0,
        **kwargs: Any,
    ) -> tuple[Tensor, Tensor | None]:
        if context is None:
            return cast(tuple[Tensor, Tensor | None], self.computed_whole(hidden_states, *args, **kwargs))
        matrices = [self.get_submodule(name) for name in projections]
        query, key, value = (_by_head(each, self) for each in _projected(matrices, copies, hidden_states, context))
        if (cache := kwargs.pop("past_key_values", None)) is not None:
            key, value = getattr(cache, "self_attention_cache", cache).update(key, value, self.layer_idx)
        mask = _row(kwargs.pop("attention_mask", None), position, context, key, causal=self.is_causal)
        dropout = getattr(self, "attn_dropout", None) or self.dropout
        options = {**kwargs, "dropout": dropout.p if self.training else 0.0, "scaling": self.scaling}
        mixed, weights = attend_as_found(self.config._attn_implementation, self, query, key, value, mask, options)
        mixed = mixed.flatten(-2)
        for name in after:
            if hasattr(self, name):
                mixed = self.get_submodule(name)(mixed)
        return mixed, weights

    return _subclass(whole, forward)


def _subclass(whole: Any, forward: Any) -> Any:
    """With the same name; what it overrides has another: `compecon.attention` tells by its methods what a class is."""
    named = {"__module__": whole.__module__, "__qualname__": whole.__qualname__, "__doc__": whole.__doc__}
    return type(whole.__name__, (whole,), {**named, "forward": forward, "computed_whole": whole.forward})


def _projected(matrices: list[Any], copies: int, served: Tensor, context: Tensor) -> list[Tensor]:
    """Queries of what is served, keys and values of all."""
    if copies == 1:
        return [matrix(states) for matrix, states in zip(matrices, (served, context, context), strict=True)]
    [fused] = matrices  # stored with its outputs along the second dimension
    width = fused.weight.shape[1] // copies
    query = functional.linear(served, fused.weight[:, :width].T, fused.bias[:width])
    return [query, *functional.linear(context, fused.weight[:, width:].T, fused.bias[width:]).chunk(copies - 1, -1)]


def _by_head(features: Tensor, attention: Any) -> Tensor:
    """(row, token, head × feature) -> (row, head, token, feature)."""
    d_head = getattr(attention, "head_dim", None) or attention.attention_head_size
    return features.view(*features.shape[:-1], -1, d_head).transpose(1, 2)


def _at(states: Tensor, position: Tensor | int) -> Tensor:
    """(row, token, ...) -> (row, 1, ...)."""
    if isinstance(position, Tensor):
        return states[torch.arange(states.shape[0], device=states.device), position].unsqueeze(1)
    return states[:, position].unsqueeze(1)


def _row(mask: Tensor | None, position: Tensor | int, context: Tensor, key: Tensor, *, causal: bool) -> Tensor | None:
    """What of a mask, (row, head, query, key), one query sees; kernels know the future by flags where there is none."""
    n_tokens, n_keys = context.shape[1], key.shape[-2]
    if mask is None and not causal:
        return None
    if mask is None:
        standing = position.view(-1, 1, 1, 1) if isinstance(position, Tensor) else position % n_tokens
        visible: Tensor = torch.arange(n_keys, device=key.device) <= standing + n_keys - n_tokens
        return visible.view(-1, 1, 1, n_keys)
    if mask.shape[-2] == 1:
        return mask
    return _at(mask.expand(context.shape[0], -1, -1, -1).transpose(1, 2), position).transpose(1, 2)
