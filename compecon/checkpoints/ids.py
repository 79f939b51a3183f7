"""What a model can look up: ids, token types and positions are checked before the model reads them.

On a CPU an id beyond a table is an IndexError that names neither; on a GPU it is an assertion after which the process
can no longer use the device.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from compecon.errors import CheckpointError

_TYPES = re.compile(r"(^|\.)(token_type_embeddings|segment_embeddings?|seg_embedding)$")
_POSITIONS = re.compile(r"(^|\.)(position_embeddings|wpe|embed_positions)$")


def check_inputs(model: nn.Module, inputs: Mapping[str, Tensor]) -> None:
    """Refuse a batch with an id, a token type or a length that a table of the model has no row for."""
    ids, types = inputs.get("input_ids"), inputs.get("token_type_ids")
    if ids is not None and (vocabulary := _rows(_words(model))) is not None:
        _check(ids, vocabulary, "token", "Save the checkpoint again with its own tokenizer.")
    if types is not None and (n_types := _smallest(model, _TYPES)) is not None:
        _check(types, n_types, "token type", "Correct the type_id's of the post_processor in tokenizer.json.")
    if ids is not None and (most := _smallest(model, _POSITIONS)) is not None and ids.shape[-1] > most:
        raise CheckpointError(
            f"A text has {ids.shape[-1]:,} tokens, but the model has {most:,} positions. Use a smaller maximum length."
        )


def require_finite(values: Tensor, what: str) -> None:
    """Refuse output of a model that is infinite or NaN; `what` begins the message: "The scores are"."""
    if not bool(values.isfinite().all()):
        raise CheckpointError(
            f"{what} not a finite number (NaN or infinity): a weight is too large, or a value of config.json is off. "
            "Use another checkpoint, or train it again at a smaller learning rate."
        )


def _check(numbers: Tensor, rows: int, what: str, advice: str) -> None:
    if not numbers.numel():
        return
    low, high = (int(number) for number in numbers.aminmax())
    if low < 0 or high >= rows:
        raise CheckpointError(
            f"The tokenizer produced {what} {low if low < 0 else high}, but the model knows only 0 to {rows - 1}: they "
            f"do not belong together. {advice}"
        )


def _words(model: nn.Module) -> Any:
    try:
        return model.get_input_embeddings()  # type: ignore[operator]
    except (AttributeError, NotImplementedError):
        return None


def _smallest(model: nn.Module, name: re.Pattern[str]) -> int | None:
    """Rows of the smallest table of that name that texts can reach: some count positions from after the padding."""
    tables = (module for path, module in model.named_modules() if name.search(path))
    sizes = [
        rows - (0 if name is _TYPES or getattr(table, "padding_idx", None) is None else table.padding_idx + 1)
        for table in tables
        if (rows := _rows(table)) is not None
    ]
    return min(sizes, default=None)


def _rows(table: Any) -> int | None:
    rows = getattr(table, "num_embeddings", None)
    return rows if isinstance(rows, int) else None
