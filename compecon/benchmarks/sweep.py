"""What a whole bar of budgets costs: the stream that the page draws from against one plain forward pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch

from compecon.attention.budget import KeyBudget
from compecon.attention.key_budget_sweep import sweep
from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.made_models import bundled_checkpoint, text_of
from compecon.benchmarks.timing import interleaved, one_thread, ratios
from compecon.checkpoints.encode_text import Encoded
from compecon.checkpoints.load import Checkpoint
from compecon.views.attention.attention_stream import attention_stream
from compecon.views.attention.budget_grid import budget_grid
from compecon.views.attention.frames import encode

_GOALS = {32: 10.0, 64: 12.0, 128: 24.0}  # forward passes, by tokens


def measure(settings: Settings) -> list[Table]:
    """Sixteen budgets at 32, 64 and 128 tokens."""
    rounds = settings.pick(15, 3)
    return [sweep_table(bundled_checkpoint(), {32: 2 * rounds, 64: rounds, 128: rounds})]


def sweep_table(checkpoint: Checkpoint, rounds: Mapping[int, int]) -> Table:
    """Time the stream until every budget of the grid is sent, the bare sweep, and one forward pass, in turns.

    `rounds` gives the number of samples by number of tokens.
    """
    figures: list[Figure] = []
    with one_thread():
        for n, n_rounds in rounds.items():
            encoded = checkpoint.encode(text_of(checkpoint, n))
            figures += _figures(checkpoint, encoded, n_rounds)
    shape = checkpoint.preflight
    notes = (
        f"{checkpoint.name}: {shape.layers} layers × {shape.heads} heads, {shape.hidden_size} wide; one thread.",
        "Stream: forward passes, 9 statistics of every head in 2 views, float16 matrices and bytes for the grid's "
        "budgets, without the control arms that follow. Bare sweep: the same forward passes with attention recorded.",
    )
    return Table("sweep: every budget of the grid against one forward pass", tuple(figures), notes)


def _figures(checkpoint: Checkpoint, encoded: Encoded, rounds: int) -> Iterable[Figure]:
    n, grid = len(encoded.tokens), budget_grid(len(encoded.tokens))
    budgets = [None, *(KeyBudget(keys=k) for k in grid if k < n)]

    def forward() -> object:
        with torch.inference_mode():
            return checkpoint.model(**encoded.batch)

    def bare() -> object:
        return list(sweep(checkpoint.model, encoded.batch, budgets))

    sides = {"forward": forward, "bare": bare, "stream": lambda: grid_bytes(checkpoint, encoded)}
    times = interleaved(sides, rounds=rounds)
    goal = Goal("median", _GOALS[n]) if n in _GOALS else None
    name = f"n = {n}, {len(grid)} budgets"
    yield Figure(f"n = {n}: one forward pass", "ms", tuple(times["forward"]))
    yield Figure(f"{name}: stream", "ms", tuple(times["stream"]))
    yield Figure(f"{name}: stream, in forward passes", "×", ratios(times["stream"], times["forward"]), goal)
    yield Figure(f"{name}: bare sweep, in forward passes", "×", ratios(times["bare"], times["forward"]))


def grid_bytes(checkpoint: Checkpoint, encoded: Encoded) -> int:
    """Bytes of the stream up to the last budget of the grid."""
    missing = set(budget_grid(len(encoded.tokens)))
    size = 0
    messages = attention_stream(checkpoint, encoded)
    for message in messages:
        size += len(encode(message))
        missing.discard(message.fields.get("k", 0))
        if message.kind == "frame" and not missing:
            break
    messages.close()  # type: ignore[attr-defined]  # a generator: stopped here and now
    return size
