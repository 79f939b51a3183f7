"""Which sizes of an elastic checkpoint are different models."""

from __future__ import annotations

from collections.abc import Sequence

from compecon.checkpoints.load import Checkpoint


def distinct_sizes(checkpoint: Checkpoint, budgets: Sequence[float] = ()) -> tuple[float, ...]:
    """Budgets of an elastic checkpoint that buy different units, rising: of those that buy the same, the smallest.

    Args:
        checkpoint: The checkpoint.
        budgets: Shares of the MACs, in any order; those that were trained if empty.

    Raises:
        CheckpointError: If the checkpoint has a single size, or a budget is out of its range.
    """
    wanted = budgets or (() if checkpoint.elastic is None else tuple(checkpoint.elastic.prices.bought)) or (1.0,)
    shapes: dict[object, float] = {}
    for budget in sorted(wanted):
        checkpoint.at(budget)  # says what is wrong with it
        assert checkpoint.elastic is not None  # noqa: S101 - for the type checker
        shapes.setdefault(checkpoint.elastic.counts(budget), budget)
    return tuple(shapes.values())
