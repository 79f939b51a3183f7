"""Running a model on several texts at once, whether or not its config names a token to pad with."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


def forward(model: nn.Module, batch: Mapping[str, Any], **options: Any) -> Any:
    """Call a model, such that a batch gives what its texts give one at a time.

    A classifier on a decoder reads the last token that is not its padding, so transformers refuses several texts where
    the config names no padding, even texts of one length. Here such a model gets a padding token for this one call, of
    its own vocabulary and the last token of none of the texts. The model, or wrapper around one, is left as it is.

    Raises:
        ValueError: If the model's config asks for tuples, in which nothing has a name.
    """
    output = _called(model, batch, options)
    if type(output) is tuple:
        raise ValueError("the model returns a tuple, without names; set model.config.return_dict = True.")
    return output


def _called(model: nn.Module, batch: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    ids, mask = batch.get("input_ids"), batch.get("attention_mask")
    inner = unwrapped(model)
    if not isinstance(ids, Tensor) or ids.ndim != 2 or ids.shape[0] == 1 or padding_id(inner) is not None:
        return model(**batch, **options)
    if (vocabulary := vocabulary_of(inner)) is None:
        return model(**batch, **options)
    filled, padding = with_unused_padding(ids, mask if isinstance(mask, Tensor) else None, vocabulary)
    with _padding_with(model, padding) as padded:
        return padded(**{**batch, "input_ids": filled}, **options)


def padding_id(model: nn.Module) -> int | None:
    """The token that a model takes for padding; None if its config names none of its vocabulary (Llama's says -1)."""
    named = getattr(_text_config(model), "pad_token_id", None)
    vocabulary = vocabulary_of(model)
    return named if isinstance(named, int) and named >= 0 and (vocabulary is None or named < vocabulary) else None


def vocabulary_of(model: nn.Module) -> int | None:
    """Rows of a model's table of token embeddings; None if it has none."""
    try:
        table: Any = model.get_input_embeddings()  # type: ignore[operator]
    except (AttributeError, NotImplementedError):
        return None
    size = getattr(table, "num_embeddings", None)
    return int(size) if size is not None else None


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside wrappers that run it elsewhere (`DistributedDataParallel`, `DataParallel`)."""
    while not _is_model(model) and isinstance(inner := getattr(model, "module", None), nn.Module):
        model = inner
    return model


def with_unused_padding(ids: Tensor, mask: Tensor | None, vocabulary: int) -> tuple[Tensor, Tensor]:
    """Pad tokens, shape (text, token), with one that ends none of the texts, fewer than different tokens.

    The mask is 1 for tokens and 0 for padding, None if nothing is padding. Returns the tokens with that padding, and
    the padding's id, a tensor without dimensions.
    """
    real = torch.ones_like(ids) if mask is None else (mask != 0).to(ids.dtype)
    last = (torch.arange(ids.shape[1], device=ids.device) * real).argmax(-1, keepdim=True)
    ends = torch.zeros(vocabulary, dtype=torch.int32, device=ids.device).scatter(0, ids.gather(1, last)[:, 0], 1)
    padding = ends.argmin()
    return torch.where(real.bool(), ids, padding), padding


@contextmanager
def _padding_with(model: nn.Module, padding: Tensor) -> Iterator[nn.Module]:
    """The model with another padding token in its config: a shallow copy, so that other threads see nothing of it.

    A wrapped model, or one whose `forward` was replaced (by autocast), runs the original whatever copy is called. It is
    being trained or was compiled by its only user, so its own config says so meanwhile.
    """
    if _is_model(model) and "forward" not in vars(model):
        model = copy.copy(model)
        model.config = copy.deepcopy(model.config)
        _set(model, padding)
        yield model
        return
    before = _text_config(unwrapped(model)).pad_token_id
    _set(model, padding)
    try:
        yield model
    finally:
        _set(model, before)


def _is_model(model: nn.Module) -> bool:
    return hasattr(type(model), "get_input_embeddings")  # of the class: a wrapper hands on what its instance lacks


def _set(model: nn.Module, padding: Tensor | int | None) -> None:
    object.__setattr__(_text_config(unwrapped(model)), "pad_token_id", padding)  # past the check for whole numbers


def _text_config(model: nn.Module) -> Any:
    config: Any = getattr(model, "config", None)
    return config.get_text_config() if hasattr(config, "get_text_config") else config
