"""What a forward pass costs, one a file: costs that a price can be put on. Loads without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from compecon.registry import Method, Registry

if TYPE_CHECKING:
    from compecon.incentives.costs.cost import ComputeCost


@final
@dataclass(frozen=True, kw_only=True)
class CostMethod(Method):
    """A cost by its name.

    Attributes:
        removes_work: Whether a low cost means that a compacted model executes less: then it is one of gates, can have a
            target, and says what share of itself is left. False: it changes what the model does, and its executed MACs
            stay those of the dense model.
    """

    removes_work: bool = False


_HERE = "compecon.incentives.costs"
COSTS: Registry[CostMethod, ComputeCost] = Registry("cost", CostMethod, f"{_HERE}.cost:ComputeCost")
COSTS.declare("macs", f"{_HERE}.macs:ExpectedMacs", label="Expected MACs", removes_work=True)
COSTS.declare("latency", f"{_HERE}.latency:ExpectedLatency", label="Expected time on this device", removes_work=True)
COSTS.declare("effective-keys", f"{_HERE}.effective_keys:EffectiveKeys", label="Effective number of keys")
COSTS.declare("group-lasso", f"{_HERE}.group_lasso:GroupLasso", label="Size of what heads and neurons add")
COSTS.declare("ffn-l1", f"{_HERE}.ffn_l1:FfnL1", label="L1 of FFN activations")
COSTS.declare("attention-l1", f"{_HERE}.attention_l1:AttentionL1", label="L1 of attention weights")
COSTS.declare("score-l1", f"{_HERE}.score_l1:ScoreL1", label="L1 of attention scores")
