"""One text under many budgets."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn

from compecon.attention.batching import rows_at_once
from compecon.attention.budget import KeyBudget, PerRow
from compecon.attention.hooks import budgeted_attention, recorded_attention, require_routed
from compecon.attention.padding import forward
from compecon.attention.policies.policy import Policy
from compecon.attention.policies.top_k import TopK
from compecon.attention.recorded import LayerAttention

if TYPE_CHECKING:
    from transformers.utils.generic import ModelOutput

_HIGHEST_LOGITS = TopK()
_SEQUENCES = ("input_ids", "inputs_embeds", "decoder_input_ids", "decoder_inputs_embeds")


@final
@dataclass(frozen=True, slots=True, eq=False)
class SweepPoint:
    """What the model said and read under one budget.

    Attributes:
        budget: ``None`` is no limit.
        output: The model's output, batch size 1, without its key cache.
        attention: One record per layer, in the order of computation; empty when not recorded.
    """

    budget: KeyBudget | None
    output: ModelOutput
    attention: tuple[LayerAttention, ...]


def sweep(
    model: nn.Module,
    batch: Mapping[str, Tensor],
    budgets: Sequence[KeyBudget | None],
    policy: Policy = _HIGHEST_LOGITS,
    *,
    record: bool = True,
    layers: Collection[int] | None = None,
) -> Iterator[SweepPoint]:
    """Run one text under each budget, several budgets in one forward pass where that is faster.

    Args:
        model: In evaluation mode; see :func:`~compecon.attention.hooks.budgeted_attention`.
        batch: Keyword arguments of the model, batch size 1.
        budgets: In the order of the results; ``None`` is no limit.
        policy: Which keys are read; those with the highest logits by default.
        record: Whether to keep attention weights.
        layers: Layers to record, counted from 0 within their stack; all of them by default.

    Yields:
        A point for each budget, as soon as it is known. Nothing is attached to a graph.

    Raises:
        UnsupportedModelError: If the attention layers are out of reach; at the call, before anything is computed.
        ValueError: If the batch holds no tensors or more than one text, a budget is neither a `KeyBudget` nor
            ``None``, or the model is in training mode or returns tuples.

    Examples:
        >>> from compecon import KeyBudget, load_checkpoint, sweep
        >>> checkpoint = load_checkpoint("sentiment")
        >>> batch = checkpoint.encode("The film is never dull.").batch
        >>> for point in sweep(checkpoint.model, batch, [None, KeyBudget(keys=2)]):
        ...     keys_read = int((point.attention[0].weights[0, 0, 0] > 0).sum())  # by a query of the first head
        ...     print(keys_read, checkpoint.labels[int(point.output.logits.argmax())])
        8 negative
        2 positive
    """
    require_routed(model)
    if model.training:
        raise ValueError("the model is in training mode, where dropout makes every pass different; call model.eval().")
    _check(batch, budgets)
    given = _without_cache(model, batch)

    def run(part: Sequence[KeyBudget | None]) -> tuple[ModelOutput, list[LayerAttention]]:
        # Neither inference mode nor a hook may be held across a yield: it would leak into the caller.
        repeated = {name: _repeated(value, len(part)) for name, value in given.items()}
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode())
            if any(part):
                stack.enter_context(budgeted_attention(model, PerRow(part), policy))
            records = stack.enter_context(recorded_attention(model, layers)) if record else []
            return forward(model, repeated), records

    def points() -> Iterator[SweepPoint]:
        rows = _rows(given)
        for start in range(0, len(budgets), rows):
            part = budgets[start : start + rows]
            output, records = run(part)
            for row, budget in enumerate(part):
                attention = tuple(record.row(row) for record in records)
                yield SweepPoint(budget, _row_of(output, row, len(part)), attention)
            del output, records, attention  # or two passes would be in memory at once

    return points()


def _check(batch: Mapping[str, Any], budgets: Sequence[KeyBudget | None]) -> None:
    if not isinstance(batch, Mapping) or any(isinstance(batch.get(name), list | tuple) for name in _SEQUENCES):
        raise ValueError(
            f"expected tensors by the model's argument, got {batch!r:.60}; pass checkpoint.encode(text).batch."
        )
    for name, tensor in batch.items():
        if isinstance(tensor, Tensor) and tensor.shape[:1] != (1,):
            raise ValueError(f"a sweep takes one text, got {name} of shape {tuple(tensor.shape)}; pass batch size 1.")
    if wrong := [budget for budget in budgets if not (budget is None or isinstance(budget, KeyBudget))]:
        raise ValueError(f"a sweep takes key budgets and None, got {wrong[0]!r}; pass KeyBudget(keys=...).")


def _rows(batch: Mapping[str, Any]) -> int:
    lengths = [batch[name].shape[1] for name in _SEQUENCES if batch.get(name) is not None]
    # A loss is a mean over the batch, so a text with labels has to go alone.
    return rows_at_once(max(lengths)) if any(lengths) and batch.get("labels") is None else 1


def _without_cache(model: nn.Module, batch: Mapping[str, Any]) -> dict[str, Any]:
    takes_cache = "use_cache" in inspect.signature(model.forward).parameters
    return {**batch, "use_cache": False} if takes_cache else dict(batch)


def _repeated(value: Any, rows: int) -> Any:
    return value.expand(rows, *value.shape[1:]) if isinstance(value, Tensor) else value


def _row_of(output: ModelOutput, row: int, rows: int) -> ModelOutput:
    parts = {name: _slice(value, row, rows) for name, value in output.items()}
    return type(output)(**{name: part for name, part in parts.items() if part is not None})


def _slice(value: Any, row: int, rows: int) -> Any:
    if isinstance(value, Tensor):
        if rows == 1:
            return value
        return value[row : row + 1] if value.shape[:1] == (rows,) else None
    if isinstance(value, tuple):
        return tuple(_slice(item, row, rows) for item in value)
    return None  # a key cache: of no use to one row
