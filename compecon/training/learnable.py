"""What can be learnt from: checked before the first step, where a GPU would end the process with an assertion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real

import torch
from transformers import PreTrainedModel

from compecon.tasks.encode_rows import Features, Windows


def require_learnable(model: PreTrainedModel, rows: Sequence[Features]) -> None:
    """Make sure that a model can learn from rows. Labels of tokens, in a list, are the token ids themselves.

    Raises:
        ValueError: If there is no row, a label is missing or the head has no output for it, or weights are in float16,
            which loses small steps.
    """
    if any(part.dtype == torch.float16 for part in model.parameters()):
        raise ValueError("the model's weights are in float16, which loses small steps. Call model.float() first.")
    if not len(rows):
        raise ValueError("there are no rows to learn from. Pass at least one.")
    if isinstance(rows, Windows):  # their labels are their tokens
        return
    outputs = getattr(model.config, "num_labels", 1) or 1
    for number, row in enumerate(rows):
        if "labels" not in row:
            raise ValueError(f"row {number} has no labels. Encode a split that has some.")
        label = row["labels"]
        if not isinstance(label, Real) or (outputs == 1 and math.isfinite(label)):
            continue
        if outputs == 1 or not isinstance(label, Integral) or not 0 <= int(label) < outputs:
            wanted = "a finite number" if outputs == 1 else f"a whole number from 0 to {outputs - 1}"
            raise ValueError(f"row {number} has the label {label!r}, but the model's head needs {wanted}.")
