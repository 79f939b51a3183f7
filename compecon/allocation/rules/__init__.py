"""Rules for sharing a budget, one a file. Without NumPy: the first picture of every page waits for this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compecon.registry import Method, Registry

if TYPE_CHECKING:
    from compecon.allocation.rules.rule import Rule

_HERE = "compecon.allocation.rules"
RULES: Registry[Method, Rule] = Registry("rule", Method, f"{_HERE}.rule:Rule")
RULES.declare("shadow-price", f"{_HERE}.shadow_price:ShadowPrice", label="Shadow price, strict")
RULES.declare("shadow-price-repaired", f"{_HERE}.repaired:RepairedShadowPrice", label="Shadow price, rationed")
RULES.declare("exact-scan", f"{_HERE}.exact_scan:ExactScan", label="Exact scan")
RULES.declare("knapsack-exact", f"{_HERE}.knapsack_exact:KnapsackExact", label="Exact knapsack")
RULES.declare("greedy", f"{_HERE}.greedy:Greedy", label="Greedy by marginal value")
RULES.declare("uniform", f"{_HERE}.uniform:Uniform", label="Uniform")
RULES.declare("proportional", f"{_HERE}.proportional:Proportional", label="Proportional to thresholds")
RULES.declare("cascade", f"{_HERE}.cascade:Cascade", label="Cascade")
RULES.declare("elastic-split", f"{_HERE}.elastic_split:ElasticSplit", label="Elastic split")
RULES.declare("value-of-computation", f"{_HERE}.value_of_computation:ValueOfComputation", label="Value of computation")
RULES.declare("oracle", f"{_HERE}.oracle:Oracle", label="Oracle: true thresholds")
