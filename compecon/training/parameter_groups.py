"""Which parameters learn how fast: the body, the head, and gates if there are any."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from compecon.incentives.gates import NAME
from compecon.training.training_settings import FineTuneSettings


def optimizer_of(model: PreTrainedModel, settings: FineTuneSettings) -> torch.optim.Optimizer:
    """AdamW over all parameters that learn; matrices decay, vectors and gates do not."""
    body = f"{model.base_model_prefix}."
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    gates: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if name.startswith(f"{NAME}."):
            gates.append(parameter)
            continue
        is_head = not name.startswith(body) or ".pooler." in name
        groups.setdefault((is_head, parameter.ndim > 1), []).append(parameter)
    weights: list[dict[str, Any]] = [
        {
            "params": parameters,
            "lr": settings.learning_rate * (settings.head_multiplier if is_head else 1),
            "weight_decay": settings.weight_decay if is_matrix else 0.0,
        }
        for (is_head, is_matrix), parameters in groups.items()
    ]
    # A gate's gradient can be tiny and must still move it, so that closing depends on its sign and not on its size.
    priced = [{"params": gates, "lr": settings.gate_rate, "weight_decay": 0.0, "eps": 1e-12, "gates": True}]
    return torch.optim.AdamW([*weights, *(priced if gates else [])], betas=(0.9, 0.98))
