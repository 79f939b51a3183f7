"""One text's attention at every budget, as the stream of messages that the live canvas draws from."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import torch

from compecon.attention.batching import rows_at_once
from compecon.attention.budget import KeyBudget
from compecon.attention.key_budget_sweep import SweepPoint, sweep
from compecon.attention.policies import POLICIES
from compecon.checkpoints.encode_text import Encoded, check_known
from compecon.checkpoints.gate.kinds import SEVERAL_STACKS
from compecon.checkpoints.load import Checkpoint
from compecon.compression.model_shape import ModelShape
from compecon.errors import UnsupportedModelError
from compecon.flops import macs_under_budget
from compecon.views.attention.budget_grid import EVERY_BUDGET_TOKENS, Scope, budget_grid
from compecon.views.attention.frame_arrays import FrameArrays
from compecon.views.attention.frames import FORMAT, Message
from compecon.views.attention.head_places import HeadGrid
from compecon.views.attention.head_statistics import STATISTICS, TOKENS, VIEWS
from compecon.views.attention.model_sizes import at_size, executed_macs, size_fields
from compecon.views.attention.output import CHANGE_UNITS, Reading, output_fields, read_output


@final
@dataclass(frozen=True)
class AttentionRequest:
    """What the page asks for.

    Without `budgets`: the grid, the control arms and, for a short text, every budget between those of the grid.
    """

    policy: str = "top-k"  # key of ``POLICIES``: which tokens may be read when keys are scarce
    scope: Scope = field(default_factory=Scope)  # which heads' matrices to send; statistics are sent for all heads
    budgets: tuple[int, ...] = ()  # only these, in keys per query, and no control arms
    first: int | None = None  # a budget wanted before all others
    size: float | None = None  # of an elastic checkpoint, a share of its MACs; None for the checkpoint as it is


def attention_stream(
    checkpoint: Checkpoint,
    encoded: Encoded,
    request: AttentionRequest = AttentionRequest(),
    *,
    wanted: Callable[[], bool] = lambda: True,
) -> Iterator[Message]:
    """One text's attention: full budget first, then the grid, then the control arms.

    It ends early once ``wanted``, which is asked between forward passes, says that the reader went away.

    Yields:
        ``open``, then ``frame`` messages (each exact: a real forward pass at that budget), ``arm`` messages, ``done``.

    Raises:
        UnsupportedModelError: If the model is not made of one stack of self-attention layers.
        CheckpointError: If the checkpoint does not have the requested size.
        TextError: If the model does not know most of the text's tokens.
    """
    started = time.perf_counter()
    check_known(encoded)
    n = len(encoded.tokens)
    sizes = size_fields(checkpoint, request.size, n)
    checkpoint = at_size(checkpoint, request.size)
    [full] = sweep(checkpoint.model, encoded.batch, [None], record=True)
    frames = _Frames(checkpoint, encoded, request, full)
    yield frames.opening(sizes)
    yield from frames.of([full], [n])
    del full  # its output: the numbers that others are compared with have been read
    for stage in _stages(n, request):
        if stage == _ARMS:
            yield from _arms(checkpoint, encoded, request.policy, frames.full_reading, wanted)
            continue
        points = sweep(
            checkpoint.model, encoded.batch, [KeyBudget(keys=k) for k in stage], POLICIES.make(request.policy)
        )
        at_once = rows_at_once(n)  # as they come out of the sweep
        for budgets in (stage[i : i + at_once] for i in range(0, len(stage), at_once)):
            for message in frames.of(list(itertools.islice(points, len(budgets))), budgets):
                if not wanted():
                    return
                yield message
    if wanted():
        yield Message("done", {"ms": round(1000 * (time.perf_counter() - started), 1)})


_ARMS: tuple[int, ...] = ()


def _stages(n: int, request: AttentionRequest) -> list[tuple[int, ...]]:
    """Budgets in the order in which they are worth seeing; the control arms come after the grid."""
    if request.budgets:
        only = tuple(k for k in request.budgets if 1 <= k < n)
        return [only] if only else []
    first = [request.first] if request.first is not None and 1 <= request.first < n else []
    grid = [k for k in reversed(budget_grid(n)) if k not in first and k < n]
    if n > EVERY_BUDGET_TOKENS:  # alone, so that it does not wait for others in its batch
        return [*filter(None, [tuple(first), tuple(grid)]), _ARMS]
    rest = [k for k in range(n - 1, 0, -1) if k not in first + grid]
    return [*filter(None, [tuple(first + grid)]), _ARMS, *filter(None, [tuple(rest)])]


def _arms(
    checkpoint: Checkpoint, encoded: Encoded, policy: str, full: Reading, wanted: Callable[[], bool]
) -> Iterator[Message]:
    """The same budgets under other policies: what these change too is arithmetic, not behaviour."""
    n = len(encoded.tokens)
    budgets = [k for k in budget_grid(n) if k < n]
    for name, arm in POLICIES.items():
        if name == policy or not arm.is_arm:
            continue
        points = sweep(
            checkpoint.model, encoded.batch, [KeyBudget(keys=k) for k in budgets], POLICIES.make(name), record=False
        )
        changes = []
        for point in points:
            if not wanted():
                return
            changes.append(read_output(checkpoint, encoded, point.output).change_from(full))
        arrays = {"budgets": np.array([*budgets, n], np.float32), "changes": np.array([*changes, 0.0], np.float32)}
        yield Message("arm", {"policy": name, "label": arm.short}, arrays)


class _Frames:
    """Turns sweep points into messages; holds the full-budget point that others are compared with."""

    def __init__(self, checkpoint: Checkpoint, encoded: Encoded, request: AttentionRequest, full: SweepPoint) -> None:
        if {layer.stack for layer in full.attention} not in ({"encoder"}, {"decoder"}):
            raise UnsupportedModelError(f"{checkpoint.name} cannot be shown here. {SEVERAL_STACKS}")
        self.checkpoint, self.encoded, self.request = checkpoint, encoded, request
        self.full_reading = read_output(checkpoint, encoded, full.output)
        self.stack = full.attention[0].stack
        self.grid = HeadGrid.of(checkpoint.model.config, full.attention)
        content = ~torch.tensor(encoded.special, device=full.attention[0].weights.device)
        self.arrays = FrameArrays(self.grid, full.attention, content, request.scope)

    def opening(self, sizes: Mapping[str, Any]) -> Message:
        n, checkpoint, policy = len(self.encoded.tokens), self.checkpoint, POLICIES.find(self.request.policy)
        layers, heads = self.request.scope.extent(len(self.grid.kept), self.grid.n_columns)
        return Message(
            "open",
            {
                "format": FORMAT,
                "checkpoint": checkpoint.name,
                "digest": checkpoint.digest,
                "device": str(checkpoint.device),
                "output": checkpoint.kind,
                "labels": list(checkpoint.labels),
                "change_unit": CHANGE_UNITS[checkpoint.kind],
                "policy": self.request.policy,
                "policy_label": policy.short,
                "ranks_by_weight": policy.ranks_by_weight,
                "tokens": list(self.encoded.tokens),
                "joined": list(self.encoded.joined),
                "special": list(self.encoded.special),
                "spans": None if self.encoded.spans is None else list(self.encoded.spans),
                "unknown": list(self.encoded.unknown),
                "heads": list(self.grid.sizes),
                "removed": self.grid.removed(),
                "grid": list(budget_grid(n)),
                "sent": {"layers": layers, "heads": heads},
                "views": VIEWS,
                "token_sets": TOKENS,
                "statistics": STATISTICS,
                "macs": self._macs(n),
                **sizes,
            },
        )

    def of(self, points: Sequence[SweepPoint], budgets: Sequence[int]) -> list[Message]:
        """A frame for each point; numbers of all of them at once, since small tensors cost by the call."""
        arrays = self.arrays.of([point.attention for point in points])
        return [
            Message("frame", self._fields(point, k), own) for point, k, own in zip(points, budgets, arrays, strict=True)
        ]

    def _fields(self, point: SweepPoint, k: int) -> dict[str, Any]:
        reading = read_output(self.checkpoint, self.encoded, point.output)
        return {
            "k": k,
            "change": reading.change_from(self.full_reading),
            "flipped": reading.flipped_from(self.full_reading),
            **output_fields(self.checkpoint, self.encoded, reading),
        }

    def _macs(self, n: int) -> dict[str, Any]:
        """Multiply-adds at each budget of the grid; {} for a shape that the formulas do not know."""
        try:
            shape = ModelShape.from_model(self.checkpoint.model)
        except UnsupportedModelError:
            return {}
        causal = self.stack == "decoder"
        dense = executed_macs(shape, n)
        needed = [macs_under_budget(shape, n, keys=k, causal=causal) for k in budget_grid(n)]
        return {
            "executed": dense.total,
            "linear": dense.linear,
            "read": [m.read for m in needed],
            "scored": needed[0].scored,
        }
