"""A fresh output head on a checkpoint's body, for a task it has not learnt."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from compecon.checkpoints.load import Checkpoint
from compecon.errors import UnsupportedModelError


def with_fresh_head(
    checkpoint: Checkpoint, labels: Sequence[str], *, regression: bool, seed: int = 0
) -> PreTrainedModel:
    """A sequence classifier with a copy of the checkpoint's body and an untrained head drawn from the seed.

    A regression has one label, the name of the score.

    Returns:
        In evaluation mode, in float32, on the checkpoint's device.

    Raises:
        UnsupportedModelError: If transformers has no classifier of the architecture.
    """
    config = copy.deepcopy(checkpoint.model.config)
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: index for index, label in enumerate(labels)}
    config.problem_type = "regression" if regression else "single_label_classification"
    if config.pad_token_id is None:  # GPT-2 classifies at the last token that is not padding
        config.pad_token_id = config.eos_token_id
    torch.manual_seed(seed)
    try:
        model: Any = AutoModelForSequenceClassification.from_config(  # type: ignore[no-untyped-call]
            config, attn_implementation="sdpa"
        )
    except ValueError as error:
        raise UnsupportedModelError(
            f"transformers has no sequence classifier of type {config.model_type!r}. Choose another base."
        ) from error
    body = checkpoint.model.base_model.state_dict()
    missing = model.base_model.load_state_dict(body, strict=False).missing_keys
    if unexpected := [name for name in missing if "pooler" not in name]:
        raise UnsupportedModelError(f"the body lacks {unexpected[0]!r} for a classifier. Choose another base.")
    return model.to(checkpoint.device).eval()  # type: ignore[no-any-return]
