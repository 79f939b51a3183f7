"""From texts to what a model reads: the one way there, for a page, an evaluation, a training and everything else.

Rows hold all that the tokenizer says of a text. What of it a model reads follows from its `forward` and its config,
never from the tokenizer's settings. So one text gives one answer, alone or in a batch, wherever it is read. Ids, token
types and positions are checked first: on a CPU an id beyond a table is an IndexError that names neither; on a GPU it is
an assertion after which the process can no longer use the device.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from inspect import Parameter, signature
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BatchEncoding

from compecon.attention.padding import forward, padding_id, unwrapped
from compecon.errors import CheckpointError

Row = Mapping[str, Any]
_TARGETS = frozenset({"labels", "soft_targets"})  # columns of a row that no model reads
_TYPES = re.compile(r"(^|\.)(token_type_embeddings|segment_embeddings?|seg_embedding)$")
_POSITIONS = re.compile(r"(^|\.)(position_embeddings|wpe|embed_positions)$")


def tokenized(
    tokenizer: Any, texts: Sequence[str], pairs: Sequence[str] | None, max_tokens: int | None
) -> BatchEncoding:
    """Texts, or pairs of texts, as tokens with their types and masks, not padded.

    Longer texts than `max_tokens` are cut at their end, the longer of a pair first; None cuts nothing. The tokenizer's
    `model_input_names`, `padding_side` and padding token do not matter.

    Returns:
        Columns "input_ids", "attention_mask", "token_type_ids" and "special_tokens_mask", a list of ints for each text.
    """
    encoding: BatchEncoding = tokenizer(
        list(texts),
        list(pairs) if pairs is not None else None,
        truncation=max_tokens is not None,
        max_length=max_tokens,
        padding=False,
        return_token_type_ids=True,
        return_attention_mask=True,
        return_special_tokens_mask=True,
        verbose=False,
    )
    return encoding


def separates_pairs(tokenizer: Any) -> bool:
    """Whether a tokenizer puts something between two texts."""
    more: int = tokenizer.num_special_tokens_to_add(pair=True) - tokenizer.num_special_tokens_to_add(pair=False)
    return more > 0


def stacked(rows: Sequence[Row], padding: int | None = None) -> dict[str, Tensor]:
    """Encoded rows with the same columns as one batch, padded on the right to the longest.

    On the right whatever side the tokenizer pads on: there, the tokens of a text have the positions that they have when
    it is read alone, in every architecture. A model gets its own padding token, see `inputs_of`.
    """
    columns = {name: [torch.as_tensor(row[name]) for row in rows] for name in rows[0]}
    columns.setdefault("attention_mask", [torch.ones_like(ids) for ids in columns["input_ids"]])
    fill = {"input_ids": padding or 0, "labels": -100}
    return {
        name: torch.nn.utils.rnn.pad_sequence(column, batch_first=True, padding_value=fill.get(name, 0))
        if column[0].ndim
        else torch.stack(column)
        for name, column in columns.items()
    }


def inputs_of(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What of a batch a model (or a wrapper around it) reads, with its own padding token where the mask says padding.

    Raises:
        CheckpointError: If the model has no row for an id, a token type or a position.
    """
    inner = unwrapped(model)
    inputs = {name: column for name, column in batch.items() if name not in _TARGETS and _reads(inner, name)}
    check_inputs(inner, inputs)
    padding, mask = padding_id(inner), batch.get("attention_mask")
    if padding is not None and mask is not None:
        inputs["input_ids"] = inputs["input_ids"].masked_fill(mask == 0, padding)
    if getattr(getattr(inner, "config", None), "trigram_input", False) and mask is not None and not mask.all():
        # MobileBERT reads each token with its neighbours, before any mask: after the last one there must be nothing.
        table: Any = inner.get_input_embeddings()  # type: ignore[operator]
        inputs["inputs_embeds"] = table(inputs.pop("input_ids")) * mask[..., None]
    return inputs


def read(model: nn.Module, batch: Mapping[str, Tensor], **options: Any) -> Any:
    """A model's output for a batch from `stacked`: the same for each row as if it were read alone."""
    return forward(model, inputs_of(model, batch), **options)


def _reads(model: nn.Module, name: str) -> bool:
    named, is_wrapper = _parameters(type(model))  # type: ignore[arg-type]  # mypy: a class is no Hashable
    if name == "token_type_ids":
        # GPT-2 accepts token types too, and adds the word vector of that id: only a table of their own asks for them.
        types = getattr(getattr(model, "config", None), "type_vocab_size", None)
        return (types or 0) > 1 and (name in named or is_wrapper)
    return name in named or is_wrapper


@cache
def _parameters(kind: type[nn.Module]) -> tuple[frozenset[str], bool]:
    """Names that a model's `forward` takes, and whether it hands all on to another model."""
    parameters = signature(kind.forward).parameters
    is_open = any(one.kind is Parameter.VAR_KEYWORD for one in parameters.values())
    return frozenset(parameters), is_open and "input_ids" not in parameters


def check_inputs(model: nn.Module, inputs: Mapping[str, Tensor]) -> None:
    """Refuse a batch with an id, a token type or a length that a table of the model has no row for."""
    ids, types = inputs.get("input_ids"), inputs.get("token_type_ids")
    if ids is not None and (vocabulary := _rows(_words(model))) is not None:
        _check_ids(ids, vocabulary, "token", "Save the checkpoint again with its own tokenizer.")
    if types is not None and (n_types := _smallest(model, _TYPES)) is not None:
        _check_ids(types, n_types, "token type", "Correct the type_id's of the post_processor in tokenizer.json.")
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


def _check_ids(numbers: Tensor, rows: int, what: str, advice: str) -> None:
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
