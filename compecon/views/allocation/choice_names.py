"""Names of the Allocation page's choices. Nothing is imported: the first picture of every page waits for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Belief: TypeAlias = Literal["chance", "solvable", "surge"]

BELIEFS: Mapping[Belief, str] = {
    "chance": "probability that a cap suffices",
    "solvable": "same, solvability known",
    "surge": "the paper's surge",
}
REASONS = (
    "funded: at the price {price}, this amount gives it the largest surplus",
    "funded by a rule that sets no price",
    "abandoned: including what it needs before its first gain, it is worth at most {choke} per unit, and the price is "
    "{price}",
    "abandoned: it would just break even at the price {price}, and the budget does not cover every such query",
    "abandoned: no spend on it has any value",
    "gets nothing from a rule that sets no price",
    "gets less than it needs for its first gain, so the spend is wasted",
    "gets only what is reserved for its answer",
    "funded, though at the price {price} another amount would give a larger surplus",
    "abandoned, though it is worth up to {choke} per unit and the price is {price}: this rule did not reach it",
)
