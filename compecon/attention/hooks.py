"""The only module that knows how transformers computes attention.

A ``with`` block pushes a hook onto a stack held in a :class:`~contextvars.ContextVar` and bound to the attention
modules of one model. So blocks nest (record what a budgeted model reads), two threads that share a model do not see
each other's hooks, and a second model is not touched. The attention function and its mask function are registered under
a name of our own on first use, which a model keeps from its first block on: without a hook they hand over to sdpa.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, final

from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from compecon.attention.budget import Budget
from compecon.attention.kernel import Inputs, attend
from compecon.attention.places import Place, attention_places
from compecon.attention.policy import Policy, TopK
from compecon.attention.record import LayerAttention
from compecon.errors import UnsupportedModelError

__all__ = ["LayerAttention", "budgeted_attention", "recorded_attention", "require_routed"]

_NAME = "compecon"
_HIGHEST_LOGITS = TopK()
_NOT_COMPUTED_HERE = ("indices", "block_indices", "sinks", "cache")  # sparse layers of their own, paged caches


@final
@dataclass(eq=False)
class _Hook:
    model: nn.Module
    places: Mapping[nn.Module, Place]
    budget: Budget | None = None
    policy: Policy = _HIGHEST_LOGITS
    seen: list[LayerAttention] | None = None
    layers: Collection[int] | None = None
    called: bool = field(default=False, init=False)  # the model ran in the block ...
    reached: bool = field(default=False, init=False)  # ... and asked for attention here


_hooks: ContextVar[tuple[_Hook, ...]] = ContextVar("compecon_attention_hooks", default=())
_installing = Lock()


@contextmanager
def budgeted_attention(model: nn.Module, budget: Budget, policy: Policy = _HIGHEST_LOGITS) -> Iterator[None]:
    """Let every query in ``model`` read only the keys that ``policy`` ranks first.

    Blocks nest: an inner budget selects from what the outer one left. A backward pass through gradient checkpoints
    computes attention anew, so it belongs inside the block too.

    Args:
        model: Built on the transformers attention interface (BERT, GPT-2, Llama, T5, ViT, …), or a module around one.
        budget: How many keys each query may read.
        policy: Which ones; the highest logits unless told otherwise.

    Raises:
        UnsupportedModelError: If the attention layers are out of reach; the model is left as it was.
        ValueError: While the model runs: if the budget does not fit its shape, or its attention is NaN.

    Examples:
        >>> with budgeted_attention(model, KeyBudget(share=0.5)):  # doctest: +SKIP
        ...     logits = model(**batch).logits
    """
    with _pushed(model, _Hook(model, _install(model), budget=budget, policy=policy)):
        yield


@contextmanager
def recorded_attention(model: nn.Module, layers: Collection[int] | None = None) -> Iterator[list[LayerAttention]]:
    """Collect the attention weights of each layer.

    Args:
        model: As for :func:`budgeted_attention`.
        layers: Layers to record, counted from 0 within their stack; all of them unless given.

    Yields:
        A list that gains one record a layer and forward pass, in the order of computation, attached to the graph so
        that a cost can be differentiated through it.

    Raises:
        UnsupportedModelError: If the attention layers are out of reach; the model is left as it was.
    """
    seen: list[LayerAttention] = []
    with _pushed(model, _Hook(model, _install(model), seen=seen, layers=layers)):
        yield seen


def require_routed(model: nn.Module) -> None:
    """Make sure that budgets and recordings reach every attention layer of ``model``. Changes nothing.

    Raises:
        UnsupportedModelError: One sentence that names the architecture.
    """
    _routed(model)


def _routed(model: nn.Module) -> dict[nn.Module, Place]:
    places = attention_places(model)
    for part in _transformers_in(model):
        if not part._can_set_attn_implementation():
            raise UnsupportedModelError(
                f"{type(part).__name__} ({part.config.model_type}) does not let its attention be replaced; "
                "choose a model built on transformers' attention interface, such as BERT, GPT-2 or Llama."
            )
    return places


def _transformers_in(model: nn.Module) -> list[PreTrainedModel]:
    return [module for module in model.modules() if isinstance(module, PreTrainedModel)]


def _install(model: nn.Module) -> dict[nn.Module, Place]:
    places = _routed(model)
    with _installing:
        if _NAME not in AttentionInterface._global_mapping:
            # A name without a mask function gets no mask at all: padding and the future would be read in silence.
            AttentionMaskInterface.register(_NAME, _mask)
            AttentionInterface.register(_NAME, _attention_forward)
        for part in _transformers_in(model):
            if part.config._attn_implementation != _NAME:
                part.set_attn_implementation(_NAME)
    return places


@contextmanager
def _pushed(model: nn.Module, hook: _Hook) -> Iterator[None]:
    token = _hooks.set((*_hooks.get(), hook))
    handle = model.register_forward_pre_hook(_note_call)
    try:
        yield
    finally:
        handle.remove()
        _hooks.reset(token)
    if hook.called and not hook.reached:
        raise UnsupportedModelError(
            f"{type(model).__name__} ran without asking for its attention here, so nothing was budgeted or recorded."
        )


def _note_call(model: nn.Module, _args: object) -> None:
    for hook in _hooks.get():  # of this thread only
        hook.called |= hook.model is model


def _mask(**kwargs: Any) -> Tensor | None:
    """Booleans, and explicit under a hook: what a query sees must not hang on a flag that has other rules."""
    return sdpa_mask(**(kwargs | {"allow_is_causal_skip": False} if _hooks.get() else kwargs))


def _attention_forward(  # noqa: PLR0913 - the signature is transformers'
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    is_causal: bool | None = None,
    **kwargs: Any,
) -> tuple[Tensor, Tensor | None]:
    hooks = [hook for hook in _hooks.get() if module in hook.places]
    beyond_sdpa = kwargs.get("softcap") is not None or kwargs.get("s_aux") is not None
    if not hooks and not beyond_sdpa:
        output: tuple[Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, dropout=dropout, is_causal=is_causal, **kwargs
        )
        return output
    _refuse_unknown(module, kwargs)
    inputs = Inputs(
        query,
        key,
        value,
        attention_mask,
        scaling=query.shape[-1] ** -0.5 if scaling is None else scaling,
        causal=bool(getattr(module, "is_causal", True) if is_causal is None else is_causal),
        bias=kwargs.get("position_bias"),
        softcap=kwargs.get("softcap"),
        sinks=kwargs.get("s_aux"),
        dropout=dropout,
    )
    return _hooked(module, inputs, hooks)


def _hooked(module: nn.Module, inputs: Inputs, hooks: list[_Hook]) -> tuple[Tensor, Tensor]:
    def choose(scores: Tensor, visible: Tensor) -> Tensor:
        for hook in hooks:
            hook.reached = True
            if hook.budget is not None:
                visible = hook.policy.keep(scores, visible, hook.budget, hook.places[module].layer)
        return visible

    try:
        mixed, weights, visible = attend(inputs, choose)
    except ValueError as error:
        where = f"layer {hooks[0].places[module].layer}" if hooks else type(module).__name__
        raise ValueError(f"{where}: {error}") from error
    for hook in hooks:
        stack, layer = hook.places[module]
        if hook.seen is not None and (hook.layers is None or layer in hook.layers):
            hook.seen.append(LayerAttention(layer, stack, weights, visible))
    return mixed, weights.to(inputs.value.dtype)


def _refuse_unknown(module: nn.Module, kwargs: Mapping[str, object]) -> None:
    if ignored := [name for name in _NOT_COMPUTED_HERE if kwargs.get(name) is not None]:
        raise UnsupportedModelError(
            f"{type(module).__name__} passes {', '.join(ignored)} to its attention, which would be ignored here; "
            "such a model can only run without budgets and recordings."
        )
