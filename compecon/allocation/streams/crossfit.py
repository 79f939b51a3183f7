"""What a rule would have earned on queries it had not seen: curves from one half, spent on the other, and back.

Each query was answered in several modes, such as directly or with a chain of thought, and each mode has its tokens and
its outcome. All that is known of a query in advance is its group, so its curve is that of its group in the other half:
a level a mode at the group's mean tokens, worth the group's share of correct answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from compecon.allocation.rules.rule import Rule
from compecon.allocation.utilities.arrays import Numbers, numbers
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.stats.intervals import Interval, mean_interval


@final
@dataclass(frozen=True, eq=False)
class Traces:
    """Queries that were answered in every mode."""

    groups: Sequence[str]  # what is known of each query in advance, shape (query,)
    tokens: Numbers  # what each mode used, shape (query, mode), above 0
    correct: Numbers  # 1 where it was right, shape (query, mode)

    def __post_init__(self) -> None:
        numbers(self.tokens, "tokens", positive=True)
        if not self.tokens.shape == self.correct.shape == (len(self.groups), *self.tokens.shape[1:]):
            raise ValueError("groups, tokens and correct must have one row per query, and one column per mode.")


@final
@dataclass(frozen=True, eq=False)
class Earned:
    """What a rule earned."""

    correct: Numbers  # outcome of each query, 0 for one that got no mode, shape (query,)
    tokens: Numbers  # what was used, shape (query,)
    planned: float  # what the rule spent in total

    @property
    def accuracy(self) -> float:
        """Share of correct answers among all queries, the abandoned included."""
        return float(self.correct.mean())

    def interval(self, other: Earned | None = None) -> Interval:
        """The accuracy, or its paired difference from another rule's, with its 95% bootstrap interval over queries."""
        return mean_interval(self.correct if other is None else self.correct - other.correct)


def earned(traces: Traces, rule: Rule, tokens_per_query: float, *, seed: int = 0) -> Earned:
    """Spend on each half what curves of the other half suggest.

    A rule gives each query a budget, and the query is answered in the dearest mode whose planned tokens fit. What is
    used is what that mode really took, so the total may differ from the plan. A rule that needs the truth sees the
    outcomes themselves.

    Args:
        traces: Queries.
        rule: How to share.
        tokens_per_query: Mean budget.
        seed: Seed of the halves, drawn within each group.
    """
    half = _halves(traces.groups, seed)
    correct, used, planned = np.zeros(len(half)), np.zeros(len(half)), 0.0
    for side in (0, 1):
        mine, others = np.flatnonzero(half == side), half != side
        levels, values = _group_curves(traces, mine, others)
        if rule.needs_truth:
            levels, values = traces.tokens[mine], traces.correct[mine]
        order = np.argsort(levels, axis=1, kind="stable")
        levels, values = (np.take_along_axis(table, order, axis=1) for table in (levels, values))
        spend = rule.allocate(MeasuredCurve(levels, values), tokens_per_query * len(mine)).spend
        place = (levels <= spend[:, None] * (1 + 1e-12)).sum(axis=1) - 1
        mode = np.take_along_axis(order, np.maximum(place, 0)[:, None], axis=1)[:, 0]
        correct[mine] = np.where(place >= 0, traces.correct[mine, mode], 0.0)
        used[mine] = np.where(place >= 0, traces.tokens[mine, mode], 0.0)
        planned += float(spend.sum())
    return Earned(correct, used, planned)


def _halves(groups: Sequence[str], seed: int) -> NDArray[np.intp]:
    """0 or 1 for each query, half of each group either way."""
    rng, half = np.random.default_rng(seed), np.zeros(len(groups), dtype=np.intp)
    names = np.array(groups)
    for name in np.unique(names):
        members = rng.permutation(np.flatnonzero(names == name))
        half[members[len(members) // 2 :]] = 1
    return half


def _group_curves(traces: Traces, mine: NDArray[np.intp], others: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    names = np.array(traces.groups)
    levels, values = np.zeros((len(mine), traces.tokens.shape[1])), np.zeros((len(mine), traces.tokens.shape[1]))
    for name in np.unique(names[mine]):
        known = others & (names == name)
        if known.any():  # a group without a query in the other half has curves of 0: nothing is known to be worth it
            levels[names[mine] == name] = traces.tokens[known].mean(axis=0)
            values[names[mine] == name] = traces.correct[known].mean(axis=0)
    return levels, values
