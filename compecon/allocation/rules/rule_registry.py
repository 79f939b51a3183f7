"""Rules by the names that a command line or an address takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from compecon.allocation.rules.cascade import Cascade
from compecon.allocation.rules.elastic_split import ElasticSplit
from compecon.allocation.rules.exact_scan import ExactScan
from compecon.allocation.rules.greedy import Greedy
from compecon.allocation.rules.knapsack_exact import KnapsackExact
from compecon.allocation.rules.oracle import Oracle
from compecon.allocation.rules.proportional import Proportional
from compecon.allocation.rules.repaired import RepairedShadowPrice
from compecon.allocation.rules.rule import Rule
from compecon.allocation.rules.shadow_price import ShadowPrice
from compecon.allocation.rules.uniform import Uniform
from compecon.allocation.rules.value_of_computation import ValueOfComputation

RULES: Mapping[str, Callable[..., Rule]] = {
    "uniform": Uniform,
    "proportional": Proportional,
    "greedy": Greedy,
    "cascade": Cascade,
    "elastic-split": ElasticSplit,
    "value-of-computation": ValueOfComputation,
    "shadow-price": ShadowPrice,
    "shadow-price-repaired": RepairedShadowPrice,
    "exact-scan": ExactScan,
    "knapsack-exact": KnapsackExact,
    "oracle": Oracle,
}


def make_rule(name: str, *, whole: bool = False) -> Rule:
    """A rule with its defaults.

    Args:
        name: A key of `RULES`.
        whole: Whether spends are whole numbers.

    Raises:
        ValueError: If there is no such rule.
    """
    if name not in RULES:
        raise ValueError(f"there is no rule {name!r}. Choose from {', '.join(RULES)}.")
    return RULES[name](whole=whole)
