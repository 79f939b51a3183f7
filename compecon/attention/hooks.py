"""The only module that knows how transformers computes attention.

A ``with`` block is kept in a :class:`~contextvars.ContextVar` and bound to the attention modules of one model. So
blocks nest (record what a budgeted model reads), two threads that share a model do not see each other's blocks, and a
second model is not touched, even if it shares the first one's configuration object. An attention function and a mask
function are registered under a name of our own on first use. A model keeps that name from its first block on, since
switching back would change it under another thread's feet; outside of any block it is handed over to sdpa.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from compecon.attention.blocks import Block, inside, open_blocks
from compecon.attention.budget import Budget
from compecon.attention.kernel import Inputs, attend
from compecon.attention.places import Place, attention_places
from compecon.attention.policy import Policy, TopK
from compecon.attention.record import LayerAttention
from compecon.errors import UnsupportedModelError

__all__ = ["LayerAttention", "budgeted_attention", "recorded_attention", "require_routed"]

_HIGHEST_LOGITS = TopK()
_SDPA_OUTSIDE, _DENSE_OUTSIDE = "compecon", "compecon_dense"  # the second for models that sdpa gets wrong
_NOT_COMPUTED_HERE = ("indices", "block_indices", "sinks", "cache")  # sparse layers of their own, paged caches


_installing = Lock()


class _Known(NamedTuple):
    below: list[nn.Module]  # all modules but the model itself, which would keep itself alive
    parts: list[PreTrainedModel]  # those of them that are models
    places: dict[nn.Module, Place]


_known: WeakKeyDictionary[nn.Module, _Known] = WeakKeyDictionary()


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
    with inside(Block(model, _install(model), budget, policy)):
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
        ValueError: While the model runs: if its attention is NaN.
    """
    seen: list[LayerAttention] = []
    with inside(Block(model, _install(model), seen=seen, layers=layers)):
        yield seen


def require_routed(model: nn.Module) -> None:
    """Make sure that budgets and recordings reach every attention layer of ``model``. Changes nothing.

    Raises:
        UnsupportedModelError: One sentence that names the architecture.
    """
    _routed(model)


def _routed(model: nn.Module) -> _Known:
    _, *below = model.modules()
    known = _known.get(model)
    if known is not None and known.below == below:
        return known
    places = attention_places(model)
    parts = [part for part in below if isinstance(part, PreTrainedModel)]
    for part in _with(model, parts):
        if not part._can_set_attn_implementation():
            raise UnsupportedModelError(
                f"{type(part).__name__} ({part.config.model_type}) does not let its attention be replaced; "
                "choose a model built on transformers' attention interface, such as BERT, GPT-2 or Llama."
            )
    known = _known[model] = _Known(below, parts, places)
    return known


def _install(model: nn.Module) -> dict[nn.Module, Place]:
    known = _routed(model)
    with _installing:
        if _SDPA_OUTSIDE not in AttentionInterface._global_mapping:
            _register()
        for part in _with(model, known.parts):
            name = _SDPA_OUTSIDE if part._supports_sdpa else _DENSE_OUTSIDE
            if part.config._attn_implementation != name:
                part.set_attn_implementation(name)
    return known.places


def _with(model: nn.Module, parts: list[PreTrainedModel]) -> list[PreTrainedModel]:
    return [model, *parts] if isinstance(model, PreTrainedModel) else parts


def _register() -> None:
    # A name without a mask function gets no mask at all: padding and the future would be read in silence.
    AttentionMaskInterface.register(_SDPA_OUTSIDE, _mask)
    AttentionMaskInterface.register(_DENSE_OUTSIDE, partial(_mask, explicit=True))
    AttentionInterface.register(_DENSE_OUTSIDE, partial(_attention_forward, sdpa_outside=False))
    AttentionInterface.register(_SDPA_OUTSIDE, _attention_forward)


def _mask(*, explicit: bool = False, **kwargs: Any) -> Tensor | None:
    """Booleans, and explicit under a hook: what a query sees must not hang on a flag that has other rules."""
    if explicit or open_blocks():
        kwargs["allow_is_causal_skip"] = False
    mask: Tensor | None = sdpa_mask(**kwargs)
    return mask


def _attention_forward(  # noqa: PLR0913 - the signature is transformers'
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    is_causal: bool | None = None,
    *,
    sdpa_outside: bool = True,
    **kwargs: Any,
) -> tuple[Tensor, Tensor | None]:
    blocks = [block for block in open_blocks() if module in block.places]
    beyond_sdpa = kwargs.get("softcap") is not None or kwargs.get("s_aux") is not None
    if not blocks and sdpa_outside and not beyond_sdpa:
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
        causal=bool(getattr(module, "is_causal", False) if is_causal is None else is_causal),
        bias=kwargs.get("position_bias"),
        softcap=kwargs.get("softcap"),
        sinks=kwargs.get("s_aux"),
        dropout=dropout,
    )
    return _attend(module, inputs, blocks)


def _attend(module: nn.Module, inputs: Inputs, blocks: list[Block]) -> tuple[Tensor, Tensor]:
    arrivals = [(block, *block.arrive(module)) for block in blocks]

    def choose(scores: Tensor, visible: Tensor) -> Tensor:
        for block, _, layer in arrivals:
            if block.budget is not None and block.policy is not None:
                visible = block.policy.keep(scores, visible, block.budget, layer)
        return visible

    try:
        mixed, weights, visible = attend(inputs, choose)
    except ValueError as error:
        where = f"layer {arrivals[0][2]} ({arrivals[0][1]})" if arrivals else type(module).__name__
        raise ValueError(f"{where}: {error}") from error
    for block, stack, layer in arrivals:
        if block.seen is not None and (block.layers is None or layer in block.layers):
            block.seen.append(LayerAttention(layer, stack, weights, visible))
    return mixed, weights.to(inputs.value.dtype)


def _refuse_unknown(module: nn.Module, kwargs: Mapping[str, object]) -> None:
    if ignored := [name for name in _NOT_COMPUTED_HERE if kwargs.get(name) is not None]:
        raise UnsupportedModelError(
            f"{type(module).__name__} passes {', '.join(ignored)} to its attention, which would be ignored here; "
            "such a model can only run without budgets and recordings."
        )
