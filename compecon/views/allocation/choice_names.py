"""Names of the Allocation page's choices. Nothing is imported: the first picture of every page waits for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Belief: TypeAlias = Literal["chance", "solvable", "surge"]

BELIEFS: Mapping[Belief, str] = {
    "chance": "chance within a cap",
    "solvable": "same, solvability known",
    "surge": "the paper's surge",
}
REASONS = (
    "funded: at the price {price}, this much leaves it the most surplus",
    "funded by a rule that sets no price",
    "abandoned: it is worth at most {choke} per unit, all that comes before its first gain being charged too, and the "
    "price is {price}",
    "abandoned: it stands at the border of the price, {price}, and the budget does not reach for all who do",
    "abandoned: nothing that it could buy is seen to bring anything",
    "given nothing by a rule that sets no price",
    "given something that buys it nothing: less than its first gain needs",
    "given what is set aside for its answer, and no more",
    "funded, though at the price {price} another amount would leave it more surplus",
    "abandoned, though it would pay up to {choke} per unit and the price is {price}: this rule did not get to it",
)
