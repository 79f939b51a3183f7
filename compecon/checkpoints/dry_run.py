"""What a model does with two tokens, before its weights are read: a kind is an output, not the name of a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from compecon.checkpoints.gate.kinds import Kind
from compecon.checkpoints.inputs import require_finite
from compecon.errors import CheckpointError, UnsupportedModelError

_TOKENS = 2


def check_kind(model: PreTrainedModel, kind: Kind, labels: int) -> None:
    """Make sure that a model on the `meta` device reads tokens and outputs what its kind promises.

    There, a forward pass computes shapes alone and takes milliseconds.

    Raises:
        UnsupportedModelError: If it reads something else than text, or outputs something else.
        CheckpointError: If it has another number of outputs than its config names labels.
    """
    name = type(model).__name__
    if model.main_input_name != "input_ids":
        raise UnsupportedModelError(
            f"{name} reads {model.main_input_name}, not tokens of a text. Use a text model, such as BERT or GPT-2."
        )
    output = _shapes(model)
    if output is None:
        return
    expected = {
        "classification": ("logits", (1, labels)),
        "regression": ("logits", (1, 1)),
        "causal-lm": ("logits", (1, _TOKENS, None)),
        "masked-lm": ("logits", (1, _TOKENS, None)),
        "encoder": ("last_hidden_state", (1, _TOKENS, None)),
    }
    part, shape = expected[kind]
    found = output.get(part)
    if found is None or len(found) != len(shape):
        raise UnsupportedModelError(
            f"{name} gives {', '.join(output) or 'nothing'} for a text, where a model of kind {kind} gives {part} of "
            f"{len(shape)} dimensions."
        )
    if shape[-1] is not None and found[-1] != shape[-1]:
        raise CheckpointError(f"{name} has {found[-1]} outputs and config.json names {shape[-1]} labels for them.")


def check_reading(model: PreTrainedModel, kind: Kind) -> None:
    """Refuse a causal language model that reads the tokens that it is to predict, or whose output is not finite."""
    if kind != "causal-lm":
        return
    ids = torch.tensor([[0, 0, 0], [0, 0, 1]], device=model.device)
    with torch.inference_mode():
        said: Any = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[:, :2].float()
    require_finite(said, "The output of the model for a text is")
    if not torch.allclose(said[0], said[1], rtol=1e-3, atol=1e-3):
        raise UnsupportedModelError(
            f"{type(model).__name__} reads the tokens that it is to predict: its attention looks ahead. "
            "Save it with is_decoder = true in its config, if it was trained that way, or with its masked head."
        )


def _shapes(model: PreTrainedModel) -> Mapping[str, tuple[int, ...]] | None:
    """Shape of each output for two tokens; None where a model's shapes depend on values, as those of BART do."""
    ids = torch.zeros(1, _TOKENS, dtype=torch.long, device="meta")
    try:
        with torch.inference_mode():
            output: Any = model(input_ids=ids, attention_mask=torch.ones_like(ids), return_dict=True)
    except Exception:  # noqa: BLE001 - whatever it is, loading the weights tells it in its own words
        return None
    return {name: tuple(value.shape) for name, value in output.items() if isinstance(value, Tensor)}
