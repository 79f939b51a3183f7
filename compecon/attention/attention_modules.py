"""Which modules of a model compute attention, and which layer of which stack each of them is."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from types import CodeType
from typing import NamedTuple

from torch import nn

from compecon.attention.recorded import Stack
from compecon.errors import NoHeadLeftError, UnsupportedModelError

_CROSS = re.compile(r"cross|encoder_attn|encdec|encoder_decoder", re.IGNORECASE)
_LAYER = re.compile(r"\.\d+\.")
_DECODER = re.compile(r"(^|[._])decoder([._]|$)")


class AttentionModule(NamedTuple):
    """Where an attention module sits."""

    stack: Stack
    layer: int | None  # None: the module serves several layers in turn (ALBERT), so only counting calls tells


class NoAttention(nn.Module):
    """In place of the attention of a layer without heads; it counts as a layer, and has no place."""


def attention_places(model: nn.Module) -> dict[nn.Module, AttentionModule]:
    """Find every module that computes attention through transformers' attention interface.

    Args:
        model: A transformers model, or a module around some.

    Returns:
        Modules in order of depth, each with its place.

    Raises:
        UnsupportedModelError: If there is none, or some layers compute attention in another way.
    """
    named = dict(model.named_modules())
    known = {name: module for name, module in named.items() if _is_known(type(module))}  # type: ignore[arg-type]  # mypy: a class is no Hashable
    own = sorted({type(module).__name__ for module in _own_attention(named, known)})
    if not own and known and all(isinstance(module, NoAttention) for module in known.values()):
        raise NoHeadLeftError(f"{_architecture(model)} has no attention head left to observe or to budget.")
    if own or not known:
        raise UnsupportedModelError(
            f"{_architecture(model)} computes attention in its own way, if at all"
            f"{' (' + ', '.join(own) + ')' if own else ''}, out of reach of budgets and recordings; "
            "choose a model built on transformers' attention interface, such as BERT, GPT-2 or Llama."
        )
    places: dict[nn.Module, AttentionModule] = {}
    depth: Counter[Stack] = Counter()
    config = _config_of(named)
    for name, module in known.items():
        stack = _stack(config, name, module)
        if not isinstance(module, NoAttention):
            places[module] = AttentionModule(stack, depth[stack])
        depth[stack] += 1
    if _serve_several_layers(config, depth):
        return {module: AttentionModule(place.stack, None) for module, place in places.items()}
    return places


def _config_of(named: Mapping[str, nn.Module]) -> object:
    """The configuration of the model, or of the first one in a module around some."""
    configs = (getattr(module, "config", None) for module in named.values())
    return next((config for config in configs if hasattr(config, "model_type")), None)


def _serve_several_layers(config: object, depth: Mapping[Stack, int]) -> bool:
    n_layers = getattr(config, "num_hidden_layers", None)
    return isinstance(n_layers, int) and len(depth) == 1 and n_layers > sum(depth.values())


@cache
def _is_known(kind: type[nn.Module]) -> bool:
    return issubclass(kind, NoAttention) or _asks_the_interface(kind)


def _asks_the_interface(kind: type[nn.Module]) -> bool:
    if hasattr(kind, "set_attn_implementation"):  # a whole model: it names the interface to switch it
        return False
    for name in dir(kind):  # methods as they resolve: an override that computes its own attention counts as such
        method = getattr(kind, name, None)
        code = getattr(inspect.unwrap(method), "__code__", None) if callable(method) else None
        if isinstance(code, CodeType) and {"ALL_ATTENTION_FUNCTIONS", "_attn_implementation"} <= set(code.co_names):
            return True
    return False


def _own_attention(named: dict[str, nn.Module], known: dict[str, nn.Module]) -> Iterator[nn.Module]:
    """Modules that look like attention layers, but neither are, hold, nor belong to one that is known."""
    for name, module in named.items():
        in_a_layer = _LAYER.search(f".{name}.") is not None
        if isinstance(module, nn.ModuleList) and not in_a_layer:
            reached = [_holds(f"{name}.{i}", known) for i in range(len(module))]
            if any(reached):
                yield from (layer for layer, ok in zip(module, reached, strict=True) if not ok)
        elif in_a_layer and "Attention" in type(module).__name__:
            inside = any(name.startswith(f"{outer}.") for outer in known)
            if not inside and not _holds(name, known):
                yield module


def _holds(name: str, known: dict[str, nn.Module]) -> bool:
    return any(inner == name or inner.startswith(f"{name}.") for inner in known)


def _stack(config: object, name: str, module: nn.Module) -> Stack:
    if getattr(module, "is_cross_attention", False) or _CROSS.search(f"{name} {type(module).__name__}"):
        return "cross"
    if getattr(config, "is_encoder_decoder", False):
        return "decoder" if _DECODER.search(name) else "encoder"
    return "decoder" if getattr(module, "is_causal", getattr(config, "is_decoder", False)) else "encoder"


def _architecture(model: nn.Module) -> str:
    kind = getattr(getattr(model, "config", None), "model_type", None)
    return f"{type(model).__name__} ({kind})" if kind else type(model).__name__
