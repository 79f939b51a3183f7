"""Restores a model after training, and refuses to measure one that still carries what training leaves on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel


@contextmanager
def given_back(model: PreTrainedModel) -> Iterator[None]:
    """Whatever is done to a model within the context, only its weights stay changed.

    accelerate wraps `forward` for autocast, marks the model as prepared and takes neither back: whatever was computed
    with it afterwards would be computed in bfloat16, and a second training would keep the precision of the first.
    Trainer writes `use_cache` into the config, and a key budget another attention implementation. Recomputing
    activations leaves a hook on the embeddings, one more with each training.

    Args:
        model: The model; it and its parts get their attributes, modes and hooks back, it its attention implementation
            and config, and it loses gradients.
    """
    config: Any = model.config
    caches, attention = getattr(config, "use_cache", None), config._attn_implementation
    learns = [(part, part.requires_grad) for part in model.parameters()]
    own = [(module, dict(vars(module)), _hooks(module)) for module in model.modules()]
    try:
        yield
    finally:
        for module, attributes, hooks in own:
            for name in vars(module).keys() - attributes.keys():
                del vars(module)[name]
            vars(module).update(attributes)
            for name, held in hooks.items():  # in place: a hook is removed from the dictionary it was put in
                attributes[name].clear()
                attributes[name].update(held)
        for part, was in learns:
            part.requires_grad_(was)
        if config._attn_implementation != attention:
            model.set_attn_implementation(attention)
        _give_back_caches(config, caches)
        model.zero_grad()


def _hooks(module: nn.Module) -> dict[str, dict[Any, Any]]:
    return {name: dict(held) for name, held in vars(module).items() if "_hooks" in name and isinstance(held, dict)}


def _give_back_caches(config: Any, caches: bool | None) -> None:
    if caches is None:  # it had no such entry
        vars(config).pop("use_cache", None)
    else:
        config.use_cache = caches


def require_measurable(model: nn.Module) -> None:
    """Make sure that a model computes what its weights say: in float32, without dropout, with its own `forward`.

    Raises:
        ValueError: If it is in training mode, has other than float32 weights, or computes under autocast, around it or
            wrapped around its `forward`.
    """
    if any(module.training for module in model.modules()):
        raise ValueError("the model is in training mode, where dropout makes every pass different; call model.eval().")
    if other := {str(part.dtype) for part in model.parameters() if part.is_floating_point()} - {"torch.float32"}:
        raise ValueError(
            f"quality is measured in float32, and the model has weights of {', '.join(sorted(other))}. "
            "Call model.float(), or load it with load_checkpoint."
        )
    if "forward" in vars(model):
        raise ValueError(
            "the model's forward is wrapped, perhaps by accelerate's autocast. Save it and load it anew, "
            "or unwrap it: accelerator.unwrap_model(model, keep_fp32_wrapper=False)."
        )
    if torch.is_autocast_enabled(next(model.parameters()).device.type):
        raise ValueError("quality is measured in float32, and autocast is on. Measure outside of torch.autocast.")
