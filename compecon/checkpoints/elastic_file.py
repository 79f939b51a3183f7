"""The file beside an elastic model's weights that says in which order its units are bought, and at what cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from compecon.checkpoints.gate.small_files import ELASTIC
from compecon.compression.elastic.price_list import PriceList
from compecon.errors import CheckpointError

Made = TypeVar("Made")
_KINDS = {
    "columns": torch.int64, "values": torch.float64, "costs": torch.float64, "dense": torch.float64,
    "budgets": torch.float64, "bought": torch.int64, "n_tokens": torch.int64,
}  # fmt: skip


def written_prices(prices: PriceList) -> bytes:
    """A price list as the content of a safetensors file."""
    tensors = {
        "columns": prices.columns,
        "values": prices.values,
        "costs": prices.costs,
        "dense": torch.tensor([prices.dense], dtype=torch.float64),
        "budgets": torch.tensor(list(prices.bought), dtype=torch.float64),
        "bought": torch.tensor(list(prices.bought.values())),
        "n_tokens": torch.tensor([prices.n_tokens]),
    }
    content: bytes = save({name: tensor.contiguous() for name, tensor in tensors.items()})
    return content


def read_prices(content: bytes, name: str = ELASTIC) -> PriceList:
    """A price list from the content of a file of unknown origin.

    Raises:
        CheckpointError: If it is not one.
    """
    advice = "Copy the checkpoint again, or train it anew."
    try:
        found: dict[str, Any] = load(content)
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{name} is damaged ({error}). {advice}") from error
    if wrong := sorted(found.keys() ^ _KINDS.keys()):
        raise CheckpointError(f"{name} must hold {', '.join(_KINDS)}; {wrong[0]} is missing or one too many. {advice}")
    for each, kind in _KINDS.items():
        if found[each].dtype != kind or found[each].ndim != 1:
            raise CheckpointError(f"{name} has {each} of another type. {advice}")
    if len(found["n_tokens"]) != 1 or len(found["dense"]) != 1 or len(found["budgets"]) != len(found["bought"]):
        raise CheckpointError(f"{name} does not say what each of its budgets buys. {advice}")
    bought = dict(zip(found["budgets"].tolist(), found["bought"].tolist(), strict=True))
    dense, n_tokens = float(found["dense"][0]), int(found["n_tokens"][0])
    return checked(lambda: PriceList(found["columns"], found["values"], found["costs"], dense, bought, n_tokens), name)


def checked(make: Callable[[], Made], name: str = ELASTIC) -> Made:
    """What is made of a price list; its ValueError becomes a CheckpointError."""
    try:
        return make()
    except ValueError as error:
        raise CheckpointError(f"{name} is wrong: {error} Copy the checkpoint again, or train it anew.") from error
