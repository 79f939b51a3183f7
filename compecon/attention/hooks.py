"""Budgets and recordings as ``with`` blocks around a model.

A block is kept in a :class:`~contextvars.ContextVar` and bound to the attention modules of one model. So blocks nest
(record what a budgeted model reads), two threads that share a model do not see each other's blocks, and a second model
is not touched, even if it shares the first one's configuration object.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import NamedTuple
from weakref import WeakKeyDictionary

from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel

from compecon.attention.attention_modules import AttentionModule, attention_places
from compecon.attention.blocks import Block, inside
from compecon.attention.budget import Budget
from compecon.attention.installing import installed
from compecon.attention.policies.policy import Policy
from compecon.attention.policies.top_k import TopK
from compecon.attention.recorded import LayerAttention
from compecon.errors import UnsupportedModelError

_HIGHEST_LOGITS = TopK()


class _Known(NamedTuple):
    below: list[nn.Module]  # all modules but the model itself, which would keep itself alive
    parts: list[PreTrainedModel]  # those of them that are models
    places: dict[nn.Module, AttentionModule]


_known: WeakKeyDictionary[nn.Module, _Known] = WeakKeyDictionary()


@contextmanager
def budgeted_attention(model: nn.Module, budget: Budget, policy: Policy = _HIGHEST_LOGITS) -> Iterator[None]:
    """Let every query in ``model`` read only the keys that ``policy`` ranks first.

    Blocks nest: an inner budget selects from what the outer one left. A backward pass through gradient checkpoints
    computes attention anew, so it belongs inside the block too.

    Args:
        model: Built on the transformers attention interface (BERT, GPT-2, Llama, T5, ViT, …), or a module around one.
        budget: How many keys each query may read.
        policy: Which ones; those with the highest logits by default.

    Yields:
        Nothing; the budget holds within the block.

    Raises:
        UnsupportedModelError: If the attention layers are out of reach; the model is left as it was.
        ValueError: If the budget is not a `Budget`, or the policy not a `Policy`; while the model runs, if the budget
            does not fit its shape, or its attention is NaN.

    Examples:
        >>> from compecon import KeyBudget, budgeted_attention, load_checkpoint
        >>> checkpoint = load_checkpoint("sentiment")
        >>> batch = checkpoint.encode("A warm and funny film.").batch
        >>> with budgeted_attention(checkpoint.model, KeyBudget(share=0.5)):
        ...     logits = checkpoint.model(**batch).logits
        >>> checkpoint.labels[int(logits.argmax())]
        'positive'
    """
    known = _routed(model)
    _check(budget, policy)
    with _opened(Block(model, known.places, budget, policy), known.parts):
        yield


@contextmanager
def recorded_attention(model: nn.Module, layers: Collection[int] | None = None) -> Iterator[list[LayerAttention]]:
    """Collect the attention weights of each layer.

    Args:
        model: As for :func:`budgeted_attention`.
        layers: Layers to record, counted from 0 within their stack; all of them by default.

    Yields:
        A list that gains one record per layer and forward pass, in the order of computation, attached to the graph so
        that a cost can be differentiated through it.

    Raises:
        UnsupportedModelError: If the attention layers are out of reach; the model is left as it was.
        ValueError: While the model runs: if its attention is NaN.

    Examples:
        >>> from compecon import load_checkpoint, recorded_attention
        >>> checkpoint = load_checkpoint("sentiment")
        >>> batch = checkpoint.encode("A warm and funny film.").batch
        >>> with recorded_attention(checkpoint.model) as layers:
        ...     output = checkpoint.model(**batch)
        >>> len(layers), layers[0].weights.shape  # (batch, head, query, key)
        (3, torch.Size([1, 12, 8, 8]))
    """
    seen: list[LayerAttention] = []
    known = _routed(model)
    with _opened(Block(model, known.places, seen=seen, layers=layers), known.parts):
        yield seen


def require_routed(model: nn.Module) -> None:
    """Make sure that budgets and recordings reach every attention layer of ``model``. Changes nothing.

    Raises:
        UnsupportedModelError: One sentence that names the architecture.
    """
    _routed(model)


def _check(budget: object, policy: object) -> None:
    if not (budget is None or isinstance(budget, Budget)):
        raise ValueError(f"expected a budget, got {budget!r}; pass KeyBudget(keys=...) or KeyBudget(share=...).")
    if not isinstance(policy, Policy):
        raise ValueError(f"expected a policy, got {policy!r}; pass an instance, such as TopK() or RandomK().")


def _routed(model: nn.Module) -> _Known:
    if not isinstance(model, nn.Module):
        raise UnsupportedModelError(
            f"expected a model, got {model!r:.60}; load one by its name with load_checkpoint(name).model."
        )
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


@contextmanager
def _opened(block: Block, parts: list[PreTrainedModel]) -> Iterator[None]:
    owners = [*_with(block.model, parts), *block.places]  # a layer copied by itself has a configuration of its own
    configs = [config for owner in owners if isinstance(config := getattr(owner, "config", None), PreTrainedConfig)]
    try:
        with inside(block), installed(configs):
            yield
    except RuntimeError as error:
        compiler = sys.modules.get("torch._dynamo.exc")  # not imported for this: it takes seconds
        if compiler is None or not isinstance(error, compiler.Unsupported):
            raise
        raise UnsupportedModelError(
            f"{type(block.model).__name__} was compiled with fullgraph=True, but budgets and recordings cannot be part "
            "of a compiled graph; compile it without fullgraph=True, or run the model that is not compiled."
        ) from error


def _with(model: nn.Module, parts: list[PreTrainedModel]) -> list[PreTrainedModel]:
    return [model, *parts] if isinstance(model, PreTrainedModel) else parts
